"""Networks from other tools and to them: scikit-learn, PyGAD, C."""

from ga_ann.doors.c_header import to_c_header
from ga_ann.doors.pygad_networks import from_pygad, pygad_softmax, to_pygad
from ga_ann.doors.sklearn_networks import as_model, from_sklearn, to_sklearn

__all__ = [
    "as_model",
    "from_pygad",
    "from_sklearn",
    "pygad_softmax",
    "to_c_header",
    "to_pygad",
    "to_sklearn",
]
