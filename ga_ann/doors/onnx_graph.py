"""A network as an ONNX graph, which runtimes of many languages and devices compute."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ga_ann.doors.refusals import named_activations, refuse_pictures
from ga_ann.doors.sklearn_networks import as_model
from ga_ann.network import lookup, pair_layers
from ga_ann.preprocessing import Preprocessing
from ga_ann.storage import Model, replacing

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["to_onnx"]

OPSETS = {"": 13, "ai.onnx.ml": 1}
"""Versions of the operators: the first that has all of them, which old runtimes know, too."""

IR_VERSION = 7
"""Version of the file format that goes with them."""

OPERATORS = {
    "identity": (),
    # Sigmoid itself becomes 0 far too early in onnxruntime, and the largest output another one.
    "logistic": ("Neg", "Exp", "1 +", "Reciprocal"),
    "relu": ("Relu",),
    "sigmoid": ("Neg", "Exp", "1 +", "Reciprocal"),
    "sign": ("Sign",),
    "softmax": ("Softmax",),
    "step": ("Sign", "Relu"),
    "tanh": ("Tanh",),
}
"""Activations as operators, one after the other."""


def to_onnx(
    network: Any, path: str | os.PathLike[str] | None = None, *, dtype: str = "float64"
) -> ModelProto:
    """Return a network as an ONNX graph, and write it to a file if one is given.

    The graph's input ``X``, of shape (n_samples, n_features), are all the original columns, of
    which it selects those that the network takes. A table's preprocessing is part of it: medians in
    the place of NaN, and the standardisation. Where a table has text columns, they are an input
    of their own, ``texts``, of strings as the training had them (without spaces about them,
    ``""`` for a missing one, ``"True"`` and ``"False"`` for booleans), and the others are
    ``numbers``; which is which the graph's metadata tell under ``"columns"``, as JSON. A category
    that the training never saw counts as none of the known.

    The outputs are ``label`` and ``probabilities``, as `Model.predict` and `Model.predict_proba`
    return them, or for a regression ``targets``, of shape (n_samples, n_outputs). What they refuse
    a graph cannot refuse: NaN where no median stands for it.

    Parameters
    ----------
    network : Model, TrainingResult, estimator, MLPClassifier or MLPRegressor
        A model, what training returned, or a fitted estimator, of this package or scikit-learn's.
    path : path-like, optional
        The file, named exactly so; it is replaced in one step when the new one is complete. Its
        folder must exist.
    dtype : {"float64", "float32"}, default="float64"
        Precision of the input and of the network: float64 gives the labels that NumPy gives, but
        where outputs differ in their last bits alone; float32 is for devices that have no other,
        and may give another label where outputs are nearly the same. Standardisation is computed in
        float64 in any case.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    ImportError
        If onnx is not installed; ``pip install 'ga-ann[onnx]'`` brings it.
    TypeError
        If `network` is none of the above.
    ValueError
        If `dtype` is unknown; or the network takes pictures, has an activation of your own, or a
        number that `dtype` does not have.
    FileNotFoundError
        If the folder does not exist.

    Examples
    --------
    >>> model = Model([np.eye(2)], "relu", "identity", np.array(["apple", "mango"]))
    >>> graph = to_onnx(model).graph
    >>> [output.name for output in graph.output]
    ['label', 'probabilities']
    """
    precision = lookup({"float64": np.float64, "float32": np.float32}, dtype, "dtype")
    model = as_model(network)
    refuse_pictures(model, "an ONNX graph")
    named_activations(model, OPERATORS, "an ONNX graph")
    try:
        import onnx
    except ImportError as error:
        raise ImportError("to_onnx needs onnx: pip install 'ga-ann[onnx]'.") from error
    exported: ModelProto = _Writer(model, np.dtype(precision)).model_proto()
    onnx.checker.check_model(exported, full_check=True)
    if path is not None:
        with replacing(path) as file:
            file.write(exported.SerializeToString())
    return exported


class _Writer:
    """Writes a model's graph: each method adds nodes, and returns the name of what they give."""

    def __init__(self, model: Model, dtype: np.dtype[Any]) -> None:
        self.model, self.dtype = model, dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.columns: dict[str, list[Any]] = {}
        self.outputs: list[Any] = []

    def model_proto(self) -> Any:
        """Return the whole."""
        import onnx

        scores = self._layers(self._selected(self._features()))
        if self.model.classes is None:
            self._targets(scores)
        else:
            self._classes(scores, self.model.classes)
        graph = onnx.helper.make_graph(
            self.nodes, "ga_ann", self.inputs, self.outputs, self.constants
        )
        exported = onnx.helper.make_model(
            graph,
            producer_name="ga_ann",
            ir_version=IR_VERSION,
            opset_imports=[onnx.helper.make_opsetid(*version) for version in OPSETS.items()],
        )
        if self.columns:
            onnx.helper.set_model_props(exported, {"columns": json.dumps(self.columns)})
        return exported

    # ------------------------------------------------------------------ what comes in

    def _features(self) -> str:
        """Return the features, of which the network takes some or all."""
        before, names = self.model.preprocessing, self.model.feature_names
        if before is None:
            return self._input("X", self.dtype, self.model.n_features, names)
        is_text, parts = before.is_text, []
        if not is_text.all():
            name = "numbers" if is_text.any() else "X"
            numbers = before.columns[~is_text]
            X = self._input(name, self.dtype, len(numbers), numbers)
            parts.append(self._standardised(X, before))
        if is_text.any():
            texts = before.columns[is_text]
            parts += self._one_hot(self._input("texts", None, len(texts), texts), before)
        return self._add("Concat", *parts, axis=1)

    def _standardised(self, X: str, before: Preprocessing) -> str:
        """Return the numbers of a table as the network takes them.

        In double precision: of large numbers that differ little, single leaves nothing.
        """
        medians, means, scales = (
            np.asarray(part, np.float64) for part in (before.medians, before.means, before.scales)
        )
        numbers = self._cast(X, np.dtype(np.float64))
        if not np.isnan(medians).any():
            missing = self._add("IsNaN", X)
            numbers = self._add("Where", missing, self._constant(medians), numbers)
        centred = self._add("Sub", numbers, self._constant(means))
        return self._cast(self._add("Div", centred, self._constant(scales)), self.dtype)

    def _one_hot(self, texts: str, before: Preprocessing) -> list[str]:
        """Return a 0 or a 1 for each category of each text column."""
        parts = []
        for k, known in enumerate(np.split(before.categories, np.cumsum(before.n_categories)[:-1])):
            column = self._add("Gather", texts, self._constant(np.array(k)), axis=1)
            hits = self._add(
                "OneHotEncoder", column, domain="ai.onnx.ml", cats_strings=known.tolist(), zeros=1
            )
            parts.append(self._cast(hits, self.dtype))
        return parts

    def _selected(self, features: str) -> str:
        columns = self.model.columns
        if columns is None:
            return features
        kept = np.flatnonzero(columns) if columns.dtype.kind == "b" else columns
        return self._add("Gather", features, self._constant(kept.astype(np.int64)), axis=1)

    # --------------------------------------------------------------------- the layers

    def _layers(self, A: str) -> str:
        activations = named_activations(self.model, OPERATORS, "an ONNX graph")
        for (W, b), activation in zip(pair_layers(self.model.weights), activations, strict=True):
            bias = [] if b is None else [self._weights(b)]
            A = self._activated(activation, self._add("Gemm", A, self._weights(W), *bias))
        return A

    def _weights(self, values: NDArray[Any]) -> str:
        """Return weights, which are held in no more bytes than they have."""
        held = np.dtype(np.float32 if values.dtype.itemsize <= 4 else self.dtype)
        with np.errstate(over="ignore"):
            constants = values.astype(held)
        if not np.isfinite(constants).all():
            raise ValueError(
                f"the network's weights have a number that {held} has not; give dtype='float64'."
            )
        name = self._constant(constants)
        return name if held == self.dtype else self._cast(name, self.dtype)

    def _activated(self, activation: str, Z: str) -> str:
        for operator in OPERATORS[activation]:
            if operator == "1 +":
                Z = self._add("Add", Z, self._constant(np.ones((), self.dtype)))
            else:
                Z = self._add(operator, Z)  # Softmax is that of the last axis
        return Z

    # ----------------------------------------------------------------- what comes out

    def _classes(self, scores: str, classes: NDArray[Any]) -> None:
        labels = classes.astype(object) if classes.dtype.kind == "U" else classes
        best = self._add("ArgMax", scores, axis=1, keepdims=0)  # the first of the largest
        self._add("Gather", self._constant(labels), best, name="label")
        is_softmax = self.model.output_activation == "softmax"
        self._add("Identity" if is_softmax else "Softmax", scores, name="probabilities")
        self._output("label", None if labels.dtype == object else labels.dtype)
        self._output("probabilities", self.dtype, len(classes))

    def _targets(self, scores: str) -> None:
        self._add("Identity", scores, name="targets")
        self._output("targets", self.dtype, self.model.weights[-1].shape[-1])

    # ---------------------------------------------------------------------- the graph

    def _add(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        from onnx import helper

        given = f"{kind}_{len(self.nodes)}" if name is None else name
        self.nodes.append(helper.make_node(kind, inputs, [given], name=given, **attributes))
        return given

    def _cast(self, values: str, to: np.dtype[Any]) -> str:
        from onnx import helper

        return self._add("Cast", values, to=helper.np_dtype_to_tensor_dtype(to))

    def _constant(self, values: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def _input(
        self, name: str, dtype: np.dtype[Any] | None, width: int | None, columns: Any
    ) -> str:
        self.inputs.append(_describe(name, dtype, ["n_samples", width]))
        if columns is not None:
            self.columns[name] = columns.tolist()
        return name

    def _output(self, name: str, dtype: np.dtype[Any] | None, *shape: int) -> None:
        self.outputs.append(_describe(name, dtype, ["n_samples", *shape]))


def _describe(name: str, dtype: np.dtype[Any] | None, shape: list[Any]) -> Any:
    """Return what a graph says of an input or an output; no `dtype` are strings."""
    from onnx import TensorProto, helper

    kind = TensorProto.STRING if dtype is None else helper.np_dtype_to_tensor_dtype(dtype)
    return helper.make_tensor_value_info(name, kind, shape)
