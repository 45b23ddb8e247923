"""A network as one C99 header for small devices: constants, and a function that predicts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ga_ann.doors.refusals import named_activations, refuse_pictures
from ga_ann.doors.sklearn_networks import as_model
from ga_ann.network import describe_shapes, pair_layers
from ga_ann.storage import Model, replacing

__all__ = ["to_c_header"]

ELEMENTWISE = {
    "logistic": "1.0f / (1.0f + expf(-x[k]))",
    "relu": "x[k] > 0.0f ? x[k] : 0.0f",
    "sigmoid": "1.0f / (1.0f + expf(-x[k]))",
    "sign": "(float)((x[k] > 0.0f) - (x[k] < 0.0f))",
    "step": "x[k] > 0.0f ? 1.0f : 0.0f",
    "tanh": "tanhf(x[k])",
}
"""What becomes of a layer's sums ``x``, one by one, in C."""

ACTIVATIONS = sorted({*ELEMENTWISE, "identity", "softmax"})

SOFTMAX = """\
    float top = x[0], sum = 0.0f;
    for (uint32_t k = 1; k < n; k++) top = x[k] > top ? x[k] : top;
    for (uint32_t k = 0; k < n; k++) sum += x[k] = expf(x[k] - top);
    for (uint32_t k = 0; k < n; k++) x[k] /= sum;"""

HEAD = """\
/* A neural network ({shapes}) in C99: {n_bytes} bytes of constants, no memory of its own, and of
 * the standard library only the headers below. It computes in single precision. */
#ifndef GA_ANN_{name}_H
#define GA_ANN_{name}_H

#include <math.h>
#include <stdint.h>

#define {name}_N_INPUTS {n_inputs}
#define {name}_N_OUTPUTS {n_outputs}
"""

LAYER = """\
    for (uint32_t j = 0; j < {n_out}; j++) {after}[j] = {bias};
    for (uint32_t i = 0; i < {n_in}; i++)
        for (uint32_t j = 0; j < {n_out}; j++)
            {after}[j] += {before}[i] * {name}_weights{k}_at(i * {n_out} + j);
"""

SCORES = """\
/* The network's {n_outputs} outputs for {n_inputs} inputs. */
static inline void {name}_scores(const float *input, float *output)
{{
    float a[{width}], b[{width}];
{body}    for (uint32_t j = 0; j < {n_outputs}; j++) output[j] = {last}[j];
}}
"""

PREDICT_CLASS = """\
/* The class, as a place in {name}_classes. */
static inline int {name}_predict(const float *input)
{{
    float output[{n_outputs}];
    int best = 0;
    {name}_scores(input, output);
    for (int k = 1; k < {n_outputs}; k++)
        if (output[k] > output[best]) best = k;
    return best;
}}
"""

PREDICT_TARGETS = """\
/* The {n_outputs} targets. */
static inline void {name}_predict(const float *input, float *output)
{{
    {name}_scores(input, output);
}}
"""


def to_c_header(network: Any, path: str | os.PathLike[str], *, name: str = "model") -> None:
    """Write a network as a C header, which takes no library and no memory of its own.

    Its function ``NAME_predict`` takes the numbers of one sample, all the original columns, and
    returns the class, as a place in ``NAME_classes``; for a regression it writes the targets.
    ``NAME_scores`` writes the network's outputs. A table's preprocessing is part of it: the columns
    that are kept, the medians in the place of NaN, and the standardisation. Weights that are -1 and
    1 alone take one bit, -1, 0 and 1 two bits, and whole numbers from -127 to 127 a byte each;
    others are floats.

    Parameters
    ----------
    network : Model, TrainingResult, estimator, MLPClassifier or MLPRegressor
        A model, what training returned, or a fitted estimator, of this package or scikit-learn's.
    path : path-like
        The file, named exactly so; it is replaced in one step when the new one is complete. Its
        folder must exist.
    name : str, default="model"
        What all names in the header begin with.

    Raises
    ------
    TypeError
        If `network` is none of the above.
    ValueError
        If `name` is none in C; or the network takes text or pictures, has an activation of your
        own, or a number that single precision does not have.
    FileNotFoundError
        If the folder does not exist.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> model = Model([np.eye(2)], "relu", "identity", np.array(["apple", "mango"]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_c_header(model, f"{folder}/model.h", name="fruit")
    ...     lines = Path(f"{folder}/model.h").read_text().splitlines()
    >>> [line for line in lines if "fruit_classes[" in line]
    ['static const char *const fruit_classes[] = {"apple", "mango"};']
    """
    model = as_model(network)
    if not isinstance(name, str) or not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name):
        raise ValueError(
            "name must be one in C, letters of English, digits and _ behind a first letter, got "
            f"{name!r}."
        )
    _check(model)
    text = _Writer(model, name).header()
    with replacing(path) as file:
        file.write(text.encode("ascii"))


def _check(model: Model) -> None:
    """Refuse what is no plain arithmetic of numbers."""
    refuse_pictures(model, "a C header")
    if model.preprocessing is not None and (texts := model.preprocessing.text_columns):
        raise ValueError(
            f"a C header takes numbers, and the network takes the text columns {texts}; train "
            "without them."
        )
    named_activations(model, ACTIVATIONS, "a C header")


class _Writer:
    """Writes a model's header: each method returns a part of it, and counts its constants."""

    def __init__(self, model: Model, name: str) -> None:
        self.model, self.name = model, name
        self.layers = pair_layers(model.weights)
        self.activations = named_activations(model, ACTIVATIONS, "a C header")
        self.n_bytes = 0

    def header(self) -> str:
        """Return the text of the header."""
        model, name = self.model, self.name
        matrices = [W.shape for W, _ in self.layers]
        known = {"name": name, "n_inputs": self._count_inputs(), "n_outputs": matrices[-1][1]}
        used = sorted({one for one in self.activations if one != "identity"})
        constants = [self._names(), self._input_constants(), *self._weight_constants()]
        functions = [self._activation(one) for one in used]
        body = self._input() + "".join(self._layer(k) for k in range(len(matrices)))
        width, last = max(max(shape) for shape in matrices), "ab"[len(matrices) % 2]
        functions.append(SCORES.format(**known, width=width, body=body, last=last))
        predict = PREDICT_TARGETS if model.classes is None else PREDICT_CLASS
        shapes = describe_shapes([W.shape for W in model.weights])
        head = HEAD.format(**known, shapes=shapes, n_bytes=self.n_bytes)
        parts = [head, *constants, *functions, predict.format(**known), "#endif\n"]
        return "\n".join(part for part in parts if part)

    def _count_inputs(self) -> int:
        held, columns = self.model.n_features, self.model.columns
        return int(np.max(columns)) + 1 if held is None else held  # type: ignore[arg-type]

    def _names(self) -> str:
        """Return the names of the inputs, where they have any, and of the classes."""
        table, classes = self.model.table_columns, self.model.classes
        named = {
            "inputs": table.columns.tolist() if table is not None and table.is_named else [],
            "classes": [] if classes is None else classes.tolist(),
        }
        return "".join(
            f"static const char *const {self.name}_{what}[] = "
            f"{{{', '.join(_quote(str(one)) for one in names)}}};\n"
            for what, names in named.items()
            if names
        )

    # ------------------------------------------------------------------ what comes in

    def _input_constants(self) -> str:
        """Return which columns the network takes, and what makes its inputs of them."""
        columns, before = self.model.columns, self.model.preprocessing
        places = slice(None) if columns is None else columns
        parts = []
        if columns is not None:
            kept = np.flatnonzero(columns) if columns.dtype.kind == "b" else columns
            parts.append(self._array("uint32_t", "columns", map(str, kept.tolist()), 4 * len(kept)))
        if before is not None:
            if self._fills_gaps():
                parts.append(self._floats("medians", before.medians[places]))
            parts.append(self._floats("means", before.means[places]))
            parts.append(self._floats("scales", before.scales[places], above_zero=True))
        return "".join(parts)

    def _fills_gaps(self) -> bool:
        before = self.model.preprocessing
        return before is not None and not np.isnan(before.medians).any()

    def _input(self) -> str:
        """Return the statements that make the first layer's inputs, ``a``, of a sample's."""
        name, n_in = self.name, self.layers[0][0].shape[0]
        place = "j" if self.model.columns is None else f"{name}_columns[j]"
        lines = [f"float v = input[{place}];"]
        if self._fills_gaps():
            lines.append(f"if (v != v) v = {name}_medians[j];")
        if self.model.preprocessing is not None:
            lines.append(f"v = (v - {name}_means[j]) / {name}_scales[j];")
        inner = "".join(f"        {line}\n" for line in [*lines, "a[j] = v;"])
        return f"    for (uint32_t j = 0; j < {n_in}; j++) {{\n{inner}    }}\n"

    # --------------------------------------------------------------------- the layers

    def _weight_constants(self) -> Iterable[str]:
        for k, (W, b) in enumerate(self.layers):
            yield self._packed(f"weights{k}", W)
            if b is not None:
                yield self._packed(f"biases{k}", b)

    def _packed(self, what: str, values: NDArray[Any]) -> str:
        """Return weights in as few bits as hold them, and the function that gives the k-th."""
        array = f"{self.name}_{what}"
        flat, distinct = values.ravel(), np.unique(values)
        packed: NDArray[Any] = flat
        if np.isin(distinct, (-1, 1)).all():
            kind, packed = "uint8_t", np.packbits(flat > 0, bitorder="little")
            item = f"(({array}[k >> 3] >> (k & 7u)) & 1u) ? 1.0f : -1.0f"
        elif np.isin(distinct, (-1, 0, 1)).all():
            codes = np.pad((flat + 1).astype(np.uint8), (0, -flat.size % 4)).reshape(-1, 4)
            kind, packed = "uint8_t", codes @ np.array([1, 4, 16, 64], dtype=np.uint8)
            item = f"(float)(({array}[k >> 2] >> (2u * (k & 3u))) & 3u) - 1.0f"
        elif np.isin(distinct, np.arange(-127, 128)).all():
            kind, packed = "int8_t", flat.astype(np.int8)
            item = f"(float){array}[k]"
        else:
            kind, item = "float", f"{array}[k]"
        constants = (
            self._floats(what, flat)
            if kind == "float"
            else self._array(kind, what, map(str, packed.tolist()), packed.size)
        )
        return constants + f"static inline float {array}_at(uint32_t k) {{ return {item}; }}\n"

    def _activation(self, activation: str) -> str:
        single = f"    for (uint32_t k = 0; k < n; k++) x[k] = {ELEMENTWISE.get(activation)};"
        body = SOFTMAX if activation == "softmax" else single
        head = f"static inline void {self.name}_{activation}(float *x, uint32_t n)"
        return f"{head}\n{{\n{body}\n}}\n"

    def _layer(self, k: int) -> str:
        """Return the statements of a layer, from one of the buffers to the other."""
        (n_in, n_out), bias = self.layers[k][0].shape, self.layers[k][1]
        before, after = "ab" if k % 2 == 0 else "ba"
        products = LAYER.format(
            name=self.name,
            k=k,
            n_in=n_in,
            n_out=n_out,
            before=before,
            after=after,
            bias="0.0f" if bias is None else f"{self.name}_biases{k}_at(j)",
        )
        activation = self.activations[k]
        call = (
            f"    {self.name}_{activation}({after}, {n_out});\n" if activation != "identity" else ""
        )
        return products + call

    # ------------------------------------------------------------------ the constants

    def _floats(self, what: str, values: NDArray[Any], *, above_zero: bool = False) -> str:
        with np.errstate(over="ignore", under="ignore"):
            singles = values.astype(np.float32)
        if not np.isfinite(singles).all() or (above_zero and not (singles > 0).all()):
            raise ValueError(f"the network's {what} have a number that single precision has not.")
        return self._array("float", what, map(_literal, singles.tolist()), 4 * singles.size)

    def _array(self, kind: str, what: str, items: Iterable[str], n_bytes: int) -> str:
        self.n_bytes += n_bytes
        held = list(items)
        rows = [", ".join(held[k : k + 12]) for k in range(0, len(held), 12)]
        lines = "".join(f"    {row},\n" for row in rows)
        return f"static const {kind} {self.name}_{what}[] = {{\n{lines}}};\n"


def _literal(value: float) -> str:
    """Return a number of single precision in C, which reads the same number from it."""
    text = f"{value:.9g}"
    return text + "f" if "." in text or "e" in text else text + ".0f"


def _quote(text: str) -> str:
    """Return text as a string in C that holds its UTF-8, whatever the text is.

    Codes have three octal digits, since C would take more hexadecimal ones from what follows; a
    question mark may begin a trigraph.
    """
    raw = text.encode("utf-8", "surrogatepass")
    is_plain = [32 <= code < 127 and code not in b'"\\?' for code in raw]
    letters = [chr(c) if p else f"\\{c:03o}" for c, p in zip(raw, is_plain, strict=True)]
    return '"' + "".join(letters) + '"'
