"""Networks from other tools and to them: scikit-learn."""

from ga_ann.doors.sklearn_networks import as_model, from_sklearn, to_sklearn

__all__ = ["as_model", "from_sklearn", "to_sklearn"]
