"""What training returns, whatever the method."""

from __future__ import annotations

import os
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ga_ann.history import History
from ga_ann.network import Activations, AnyActivation, forward, to_predictions, to_probabilities
from ga_ann.out_of_core import SamplesLike, StoredSamples, hold
from ga_ann.storage import Model, save_model
from ga_ann.validation import check_feature_names, check_samples

__all__ = ["TrainingResult"]


@dataclass(frozen=True, repr=False)
class TrainingResult:
    """What training returns, whatever the method.

    Attributes
    ----------
    weights : list of ndarray
        The trained network's parameters.
    history : History
        What was measured on the way.
    best_fitness : float
        Fitness of `weights` on the training data.
    classes : ndarray of shape (n_classes,) or None
        The label that stands for each output; None for a regression.
    activation, output_activation : str or callable, or a tuple of them
        The functions that `weights` were trained with.
    stop_reason : str
        Why training ended.
    feature_names : ndarray of str, of shape (n_features,), or None
        The names of the columns, where the samples were a DataFrame with names that are all text.
    """

    weights: list[NDArray[Any]]
    history: History
    best_fitness: float
    classes: NDArray[Any] | None
    activation: Activations
    output_activation: AnyActivation
    stop_reason: str
    feature_names: NDArray[np.str_] | None = field(default=None, kw_only=True)

    def __repr__(self) -> str:
        n = max(0, len(self.history) - 1)  # the first row is that of the beginning
        return (
            f"{type(self).__name__}({n} {self.history.unit}{'s' * (n != 1)}, "
            f"best_fitness={self.best_fitness:.4g}, stop_reason={self.stop_reason!r})"
        )

    def predict_scores(self, X: SamplesLike) -> NDArray[Any]:
        """Return the network's outputs, of shape (n_samples, n_classes).

        `X` may be on disk, see `open_samples`: large samples are read in chunks.

        Raises
        ------
        ValueError
            If `X` is not a table of finite numbers with the columns of the training data, in its
            order.
        """
        X = hold(X)
        if isinstance(X, StoredSamples):
            return X.map(self.predict_scores)
        check_feature_names(X, self.feature_names)
        return forward(
            self.weights,
            check_samples(X),
            activation=self.activation,
            output_activation=self.output_activation,
        )

    def predict(self, X: SamplesLike) -> NDArray[Any]:
        """Return the label of each sample, of shape (n_samples,); `X` as in `predict_scores`.

        For a regression, the targets, of shape (n_samples,) or (n_samples, n_outputs).
        """
        return to_predictions(self.predict_scores(X), self.classes)

    def predict_proba(self, X: SamplesLike) -> NDArray[Any]:
        """Return the probability of each class, of shape (n_samples, n_classes).

        They are the softmax of the scores, or the scores where that is the output activation.

        Raises
        ------
        ValueError
            As in `predict_scores`, or if this is a regression.
        """
        return to_probabilities(self.predict_scores(X), self.classes, self.output_activation)

    def to_model(self, **about: Any) -> Model:
        """Return the network with what it takes to use it on new data; it shares nothing with this.

        Parameters
        ----------
        **about
            Further fields of the `Model`, such as `columns`.

        Raises
        ------
        TypeError, ValueError
            If the labels are no text, numbers or booleans, or a weight is not finite.
        """
        own = {
            "weights": [W.copy() for W in self.weights],
            "activation": self.activation,
            "output_activation": self.output_activation,
            "classes": None if self.classes is None else _as_plain(self.classes).copy(),
            "settings": deepcopy(self.history.settings),
        }
        # With either of these the network's inputs are not the columns of the samples.
        if self.feature_names is not None and not about.keys() & {"columns", "preprocessing"}:
            own["feature_names"] = self.feature_names.copy()
        return Model(**own | about)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the network and its history; `ga_ann.load` gives the former back as a `Model`.

        What is saved is what predicts. To go on with a run later, write a `Checkpoint`, or pickle
        the result.

        Parameters
        ----------
        path : path-like
            The file, named exactly so; it is replaced in one step when the new one is complete.
            Its folder must exist.

        Raises
        ------
        FileNotFoundError
            If the folder does not exist.
        TypeError, ValueError
            As in `to_model`.
        """
        save_model(path, self)


def _as_plain(labels: NDArray[Any]) -> NDArray[Any]:
    """Return text, numbers or booleans that are Python's as NumPy's, and other labels as they are.

    The former can be saved without a pickle.
    """
    held = labels.tolist()
    kinds = {type(label) for label in held}
    if labels.dtype.kind != "O" or len(kinds) != 1 or not kinds <= {str, int, float, bool}:
        return labels
    plain: NDArray[Any] = np.array(held)
    return plain if plain.tolist() == held else labels  # NumPy's text ends before a final NUL
