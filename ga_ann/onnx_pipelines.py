"""scikit-learn pipelines to ONNX: skl2onnx learns of the estimators.

Above the doors, since those know of no estimator.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ga_ann.doors import as_model, to_onnx
from ga_ann.estimator import GeneticMLPClassifier, GeneticMLPRegressor

__all__ = ["register_onnx_converters"]


def register_onnx_converters() -> None:
    """Register the estimators with skl2onnx, whose `to_onnx` then takes pipelines with them.

    The network computes in float64 where the pipeline's input is of float64, else in float32, see
    `to_onnx`. A classifier's outputs are labels and, with skl2onnx's option ``zipmap=False``, which
    float64 takes, a matrix of probabilities. Labels that are no text become integers.

    Raises
    ------
    ImportError
        If skl2onnx is not installed; ``pip install 'ga-ann[onnx]'`` brings it.

    Examples
    --------
    >>> import skl2onnx
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_iris(return_X_y=True)
    >>> network = GeneticMLPClassifier((5,), n_generations=10, random_state=0)
    >>> pipeline = make_pipeline(StandardScaler(), network).fit(X, y)
    >>> register_onnx_converters()
    >>> exported = skl2onnx.to_onnx(pipeline, X[:1], options={"zipmap": False})
    >>> [output.name for output in exported.graph.output]
    ['label', 'probabilities']
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError as error:
        raise ImportError(
            "register_onnx_converters needs skl2onnx: pip install 'ga-ann[onnx]'."
        ) from error
    # What its parser of classifiers asks for; labels are never left out (nocl).
    choices = {"zipmap": [True, False, "columns"], "nocl": [False]}
    for estimator, options in ((GeneticMLPClassifier, choices), (GeneticMLPRegressor, None)):
        alias = f"GaAnn{estimator.__name__}"
        update_registered_converter(estimator, alias, _set_types, _convert, options=options)


def _set_types(operator: Any) -> None:
    """Tell what the outputs of a network are: the labels of a classifier, and numbers."""
    from skl2onnx.common import data_types, utils

    utils.check_input_and_output_numbers(operator, input_count_range=1)
    model, n_samples = as_model(operator.raw_operator), operator.inputs[0].get_first_dimension()
    *labels, numbers = operator.outputs
    kind = data_types.DoubleTensorType if _is_double(operator) else data_types.FloatTensorType
    numbers.set_type(kind([n_samples, model.weights[-1].shape[-1]]))
    for label in labels:
        is_text = model.classes is not None and model.classes.dtype.kind == "U"
        kind = data_types.StringTensorType if is_text else data_types.Int64TensorType
        label.set_type(kind([n_samples]))


def _is_double(operator: Any) -> bool:
    from skl2onnx.common.data_types import DoubleTensorType

    return isinstance(operator.inputs[0].type, DoubleTensorType)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add a network's graph to that of its pipeline, under names that this does not have."""
    from onnx import helper, numpy_helper

    model = as_model(operator.raw_operator)
    if model.classes is not None and model.classes.dtype.kind != "U":
        model = replace(model, classes=model.classes.astype(np.int64))  # whole in an estimator
    graph = to_onnx(model, dtype="float64" if _is_double(operator) else "float32").graph
    outputs = zip(graph.output, operator.outputs, strict=True)
    names: dict[str, str] = {ours.name: theirs.full_name for ours, theirs in outputs}

    def rename(name: str) -> str:
        if name not in names:
            names[name] = scope.get_unique_variable_name(name)
        return names[name]

    (X,), (given,) = graph.input, operator.inputs  # which may be of integers
    container.add_node("Cast", [given.full_name], [rename(X.name)], to=X.type.tensor_type.elem_type)
    for held in graph.initializer:
        values = numpy_helper.to_array(held).ravel().tolist()
        container.add_initializer(rename(held.name), held.data_type, list(held.dims), values)
    for node in graph.node:
        container.add_node(
            node.op_type,
            [rename(name) for name in node.input],
            [rename(name) for name in node.output],
            name=scope.get_unique_operator_name(node.op_type),
            **{one.name: helper.get_attribute_value(one) for one in node.attribute},
        )
