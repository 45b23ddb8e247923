"""Networks from other tools and to them: scikit-learn, PyGAD, PyTorch, ONNX, C."""

from ga_ann.doors.c_header import to_c_header
from ga_ann.doors.onnx_graph import to_onnx
from ga_ann.doors.pygad_networks import from_pygad, pygad_softmax, to_pygad
from ga_ann.doors.sklearn_networks import as_model, from_sklearn, to_sklearn
from ga_ann.doors.torch_networks import from_torch, to_torch

__all__ = [
    "as_model",
    "from_pygad",
    "from_sklearn",
    "from_torch",
    "pygad_softmax",
    "to_c_header",
    "to_onnx",
    "to_pygad",
    "to_sklearn",
    "to_torch",
]
