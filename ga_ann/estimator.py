"""scikit-learn estimators that are trained by evolution, on any score."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from copy import copy, deepcopy
from dataclasses import KW_ONLY, dataclass, field, fields, replace
from functools import wraps
from math import ceil
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import joblib
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, compute_class_weight, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from ga_ann.callbacks import Callback, Checkpoint, as_callbacks
from ga_ann.doors import as_model
from ga_ann.evolution import (
    EvolutionResult,
    NetworkGA,
    Recipe,
    count_free_threads,
    evolve,
    find_recipe,
)
from ga_ann.history import History
from ga_ann.network import (
    Activations,
    AnyActivation,
    forward,
    pair_layers,
    to_predictions,
    to_probabilities,
)
from ga_ann.out_of_core import SamplesLike, StoredSamples, hold
from ga_ann.parts import CustomCrossover, CustomMutation, CustomSelection
from ga_ann.state import State
from ga_ann.storage import Model, load_checkpoint, save_model
from ga_ann.validation import as_samples, check_both, check_number, check_one_label

__all__ = ["GeneticMLPClassifier", "GeneticMLPRegressor"]


Method = TypeVar("Method", bound=Callable[..., Any])

RECIPE_FIELDS = [field.name for field in fields(Recipe)]
"""Parameters that stand for a field of the recipe."""

AS_NUMBERS: dict[str, Any] = {"dtype": (np.float64, np.float32), "accept_sparse": "csr"}
"""How samples are validated."""

SHARED = (
    "hidden_layer_sizes",
    "weight_set",
    "fitness",
    "n_generations",
    "target_fitness",
    "early_stopping",
    "n_iter_no_change",
    "tol",
    "max_time",
    "max_evaluations",
    "client",
    "device",
    "device_dtype",
    "verbose",
)
"""Parameters that `evolve` has under the same names."""


def _all_or_nothing(fit: Method) -> Method:
    """Make a method leave the estimator as it was if it raises an exception."""

    @wraps(fit)
    def guarded(self: Any, *args: Any, **options: Any) -> Any:
        before = dict(self.__dict__)
        try:
            return fit(self, *args, **options)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    return guarded  # type: ignore[return-value]


@dataclass(eq=False, repr=False)
class _GeneticMLP(BaseEstimator):
    """What the classifier and the regressor share: the parameters, and their way to `evolve`.

    The dataclass writes the constructor; its fields are the one list of the parameters.
    """

    _task: ClassVar[str]

    hidden_layer_sizes: int | Iterable[int] = (100,)
    activation: Activations | None = None
    _: KW_ONLY
    fitness: str | Callable[..., Any] | None = None
    recipe: str | Recipe = "default"
    ranking: str | Callable[..., Any] | None = None
    population_size: int | None = None
    n_parents: int | None = None
    n_elites: int | None = None
    selection: str | CustomSelection | None = None
    crossover: str | CustomCrossover | None = None
    recombination: str | None = None
    mutation: str | CustomMutation | None = None
    rank: int | None = None
    mutation_rate: float | tuple[float, float] | None = None
    sigma: float | None = None
    sigma_decay: float | None = None
    weight_decay: float | str | None = None
    batch_size: int | str | None = None
    noise: str | None = None
    init: str | None = None
    output_activation: AnyActivation | None = None
    dtype: str | None = None
    weight_set: str | ArrayLike | None = None
    n_generations: int = 5000
    max_time: float | None = None
    max_evaluations: float | None = None
    target_fitness: float | None = None
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 300
    tol: float = 1e-4
    warm_start: bool = False
    start_from: Any = None
    callbacks: Iterable[Callback | Callable[..., Any]] | None = None
    checkpoint: str | os.PathLike[str] | None = None
    n_jobs: int | None = None
    client: Any = None
    device: str | None = None
    device_dtype: str | None = None
    random_state: int | np.random.RandomState | np.random.Generator | None = None
    verbose: bool = False

    @property
    def ga_(self) -> NetworkGA | None:
        """The engine of the last fit; None in an estimator that was pickled."""
        return self._result.ga

    @property
    def weights_(self) -> list[NDArray[Any]]:
        """The network's parameters: matrices ``(n_in, n_out)``, each followed by its biases."""
        return self._result.weights

    @property
    def history_(self) -> History:
        """What every generation measured."""
        return self._result.history

    @property
    def n_iter_(self) -> int:
        """Number of generations."""
        return len(self.history_) - 1

    @property
    def best_fitness_(self) -> float:
        """Fitness of the network on the data that it was trained on."""
        return self._result.best_fitness

    @property
    def validation_score_(self) -> float:
        """Fitness of the network on the held-out part; NaN without early stopping."""
        return self._result.validation_score

    # ------------------------------------------------------------ scikit-learn's names

    @property
    def coefs_(self) -> list[NDArray[Any]]:
        """The weight matrices."""
        return [matrix for matrix, _ in pair_layers(self.weights_)]

    @property
    def intercepts_(self) -> list[NDArray[Any]]:
        """The biases."""
        return [bias for _, bias in pair_layers(self.weights_) if bias is not None]

    @property
    def n_layers_(self) -> int:
        """Number of layers, those of the inputs and of the outputs included."""
        return len(self.coefs_) + 1

    @property
    def n_outputs_(self) -> int:
        """Number of outputs: one for each class, or for each target."""
        return len(self.intercepts_[-1])

    @property
    def out_activation_(self) -> AnyActivation:
        """Activation of the outputs."""
        return self._result.output_activation

    @property
    def loss_curve_(self) -> list[float]:
        """Minus what selection ranks by, a value a generation."""
        losses: list[float] = (-self.history_["ranking"][1:]).tolist()
        return losses

    @property
    def validation_scores_(self) -> list[float] | None:
        """Fitness on the held-out part, a value a generation; None without early stopping."""
        scores: list[float] = self.history_["validation_score"][1:].tolist()
        return scores if self.history_.settings["early_stopping"] else None

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted copy with the same client and the same network to start from.

        A connection is not copied, and a clone of the network would not be fitted.
        """
        bare = copy(self)
        bare.client = bare.start_from = None
        cloned: Self = super(_GeneticMLP, bare).__sklearn_clone__()
        cloned.client, cloned.start_from = self.client, self.start_from
        return cloned

    def __copy__(self) -> Self:
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        memo[id(self.client)] = self.client
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        copied.__dict__.update(deepcopy(self.__dict__, memo))
        return copied

    def __getstate__(self) -> dict[str, Any]:
        """Leave a client out, which is a connection; an address stays."""
        held: dict[str, Any] = super().__getstate__()
        return held | {"client": self.client if isinstance(self.client, str) else None}

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_result")

    def _evolve(
        self,
        X: NDArray[Any],
        y: NDArray[Any],
        sample_weight: NDArray[Any] | None,
        *,
        start: EvolutionResult | None = None,
        n_generations: int | None = None,
        classes: NDArray[Any] | None = None,
    ) -> Self:
        callbacks = as_callbacks(() if self.callbacks is None else self.callbacks)
        begin: EvolutionResult | State | Model | None = start
        if start is None and self.start_from is not None:
            begin = as_model(self.start_from)
        if self.checkpoint is not None and n_generations is None:
            callbacks.append(Checkpoint(self.checkpoint))
            if start is None and Path(self.checkpoint).exists():
                begin = load_checkpoint(self.checkpoint)
        seed = self._seed(begin)
        training, held_out = self._split(X, y, seed)
        validation: tuple[NDArray[Any], ...] | None = None
        if held_out is not None:
            parts = (X, y) if sample_weight is None else (X, y, sample_weight)
            validation = tuple(part[held_out] for part in parts)
        shared = {name: getattr(self, name) for name in SHARED}
        if n_generations is not None:
            shared["n_generations"] = n_generations
        self._result = evolve(
            X[training],
            y[training],
            **shared,
            task=self._task,
            bias=True,
            activation=self.activation,
            recipe=self._chosen_recipe(),
            validation_data=validation,
            sample_weight=None if sample_weight is None else sample_weight[training],
            classes=classes,
            start=begin,
            callbacks=callbacks,
            n_jobs=self._count_jobs(),
            random_state=seed,
        )
        return self

    def _validated(
        self, X: SamplesLike, y: ArrayLike, *, reset: bool = True, **options: Any
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return samples and labels as numbers, and take note of the features."""
        X = hold(X)
        if not isinstance(X, StoredSamples):
            checked: tuple[NDArray[Any], NDArray[Any]] = validate_data(
                self, X, y, reset=reset, **AS_NUMBERS, **options
            )
            return checked
        validate_data(self, X.head, reset=reset, skip_check_array=True)
        is_float = X.dtype in AS_NUMBERS["dtype"]
        return check_both(X if is_float else X.astype(np.float64), y, **options)

    def _count_jobs(self) -> int:
        if self.n_jobs is not None:
            check_number(self.n_jobs, "n_jobs", Integral)
        asked = self.n_jobs or -1
        # Dask counts the threads of the whole cluster, whatever it is asked, and others all cores.
        limit = asked if asked > 0 else count_free_threads()
        return min(int(joblib.effective_n_jobs(self.n_jobs)), limit)

    def _chosen_recipe(self) -> Recipe:
        """Return the recipe with what the parameters say otherwise."""
        given = {name: getattr(self, name) for name in RECIPE_FIELDS}
        changes = {name: value for name, value in given.items() if value is not None}
        return replace(find_recipe(self.recipe), **changes)

    def _seed(self, begin: EvolutionResult | State | Model | None) -> Any:
        """Return the seed of the fit; that of the checkpoint, where it goes on from one."""
        if isinstance(self.random_state, np.random.Generator):
            return self.random_state
        held = begin.random_state if isinstance(begin, State) else None
        if self.random_state is None and held is not None:
            return held
        return check_random_state(self.random_state).randint(2**31)

    def _split(
        self, X: NDArray[Any], y: NDArray[Any], seed: Any
    ) -> tuple[NDArray[np.intp], NDArray[np.intp] | None]:
        """Return the samples to train on, and those held out for early stopping."""
        everything = np.arange(X.shape[0])
        if not self.early_stopping:
            return everything, None
        labels = y if self._task == "classification" else None
        self._check_split(X.shape[0], labels)
        training, held_out = train_test_split(
            everything,
            test_size=self.validation_fraction,
            stratify=labels,
            random_state=seed if isinstance(seed, int) else int(seed.integers(2**31)),
        )
        return training, held_out

    def _check_split(self, n_samples: int, labels: NDArray[Any] | None) -> None:
        check_number(self.validation_fraction, "validation_fraction", above=0, below=1)
        least = 2  # of which R2 can be told
        if labels is not None:
            classes, counts = np.unique(labels, return_counts=True)
            least = len(classes)
            if counts.min() < 2:
                raise ValueError(
                    "early_stopping holds out a stratified part, which takes at least 2 samples of "
                    f"each class; there is 1 of {classes[counts < 2].tolist()}. Add samples, leave "
                    "such classes out, or set early_stopping=False."
                )
        n_held_out = ceil(self.validation_fraction * n_samples)
        if min(n_held_out, n_samples - n_held_out) < least:
            raise ValueError(
                f"validation_fraction={self.validation_fraction} holds out {n_held_out} of "
                f"{n_samples} samples, but early_stopping needs {least} or more to train on and "
                f"{least} or more to hold out (2, or the number of classes). Change "
                "validation_fraction, add samples, or set early_stopping=False."
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _continued(self) -> EvolutionResult | None:
        return self._result if self.warm_start and hasattr(self, "_result") else None

    def _forward(self, X: SamplesLike, *, skip: str | None = None) -> NDArray[Any]:
        """Return the network's outputs, before their activation if it is the one to skip."""
        check_is_fitted(self)
        X = hold(X)
        if isinstance(X, StoredSamples):
            return X.map(lambda chunk: self._forward(chunk, skip=skip))
        samples = as_samples(validate_data(self, X, reset=False, **AS_NUMBERS))
        return forward(
            self._weights(),
            samples,
            activation=self._result.activation,
            output_activation="identity" if self.out_activation_ == skip else self.out_activation_,
        )

    def _weights(self) -> list[NDArray[Any]]:
        """Return the network's parameters in the precision that predicts."""
        return [parameter.astype(np.float64) for parameter in self.weights_]

    def to_model(self) -> Model:
        """Return the network with what it takes to use it on new data.

        Raises
        ------
        NotFittedError
            If there is none yet.
        TypeError
            If the labels are no text, numbers or booleans.
        """
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", None)
        about = {} if names is None else {"feature_names": names.astype(np.str_)}
        return self._result.to_model(weights=self._weights(), **about)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the network and its history; `ga_ann.load` gives the former back as a `Model`.

        The `Model` predicts bit for bit what the estimator does. It has neither parameters nor
        `fit`: to keep the estimator itself, pickle it.

        Parameters
        ----------
        path : path-like
            The file, named exactly so; it is replaced in one step when the new one is complete.
            Its folder must exist.

        Raises
        ------
        FileNotFoundError
            If the folder does not exist.
        NotFittedError, TypeError
            As in `to_model`.
        """
        save_model(path, self)


@dataclass(eq=False, repr=False)
class GeneticMLPClassifier(ClassifierMixin, _GeneticMLP):
    """Multi-layer perceptron classifier trained by a genetic algorithm.

    It maximises the score that you care about, which need not have a gradient.

    Parameters
    ----------
    hidden_layer_sizes : int or iterable of int, default=(100,)
        Sizes of the hidden layers.
    activation : str or callable, or a tuple of them, default=None
        Activation of the hidden layers, or of each of them: ``"identity"``, ``"relu"``,
        ``"logistic"`` or, by its other name, ``"sigmoid"``, ``"sign"``, ``"softmax"``, ``"step"``
        or ``"tanh"``, or a function, see `ga_ann.parts`. None is the recipe's: ``"relu"`` by
        default.
    fitness : str or callable, default=None
        The score to maximise; None is the accuracy. A name in `ga_ann.fitness.FITNESS`
        (``"balanced_accuracy"``, ``"f1_macro"``, ``"matthews_corrcoef"``, ``"neg_log_loss"``,
        ...), a score made by `fbeta` or `neg_cost`, the name of a scikit-learn scorer, a scorer,
        or ``f(y_true, y_pred)``.
    recipe : {"default", "classic", "tutorial"} or Recipe, default="default"
        What shapes the search, see `Recipe` and `RECIPES`.
    ranking : str or callable, default=None
        What selection ranks by; None is the recipe's: by default the log loss, adjusted to the
        classes' importance where the fitness has such (`balanced_accuracy`, `g_mean`, `neg_cost`;
        see `ga_ann.fitness.finer_score`). ``"fitness"`` is the fitness alone; or a score as
        for `fitness`. Which network is the best is decided by the fitness first.
    population_size, n_parents, n_elites, selection, crossover, recombination, mutation, rank, \
    mutation_rate, sigma, sigma_decay, weight_decay, batch_size, noise, init, output_activation, \
    dtype : default=None
        Fields of the `Recipe` in the place of its own, with functions as it takes them; None is
        what `recipe` says. An estimator with a function can be pickled if the function can.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, as elsewhere in scikit-learn; they multiply `sample_weight`.
    weight_set : str or array-like of float, default=None
        The values that weights and biases may have: ``"binary"``, ``"ternary"``, ``"int8"``, or
        any numbers; None for all. The probabilities of such a network are as extreme as its
        weights are large.
    n_generations : int, default=5000
        Number of generations at most.
    max_time, max_evaluations : float, default=None
        Seconds, and networks measured, after which the fit ends.
    target_fitness : float, default=None
        Fitness on the training data at which the fit ends. Networks go on improving, on other
        data, after the last error on the training data is gone.
    early_stopping : bool, default=False
        Whether to hold out a stratified part of the training data, to keep the network that is
        best on it, and to end when its score on it stops growing.
    validation_fraction : float, default=0.1
        Share that is held out, above 0 and below 1.
    n_iter_no_change : int, default=300
        Number of generations without an improvement by more than `tol` after which the fit ends:
        of what selection ranks by or, with `early_stopping`, of the fitness on the held-out part.
    tol : float, default=1e-4
        See `n_iter_no_change`.
    warm_start : bool, default=False
        Whether `fit` continues the evolution where the last call left it.
    start_from : Model, estimator or TrainingResult, default=None
        A network that is trained already, which the evolution begins with instead of drawing one:
        a fitted `MLPClassifier` or estimator of this package, what training returned, or a `Model`.
        Its classes and layers are those of this one; its activation is taken where `activation` is
        None. Clones share it, fitted as it is: in a cross-validation it should not have seen the
        parts that are held out.
    callbacks : iterable of Callback or callable, default=None
        What to do after each generation, see `ga_ann.callbacks`.
    checkpoint : path-like, default=None
        A file that `fit` writes its state to, see `ga_ann.callbacks.Checkpoint`; if it is there
        already, `fit` goes on from it, and becomes bit for bit the fit that was never interrupted.
        It is refused if it is that of other data or settings. Each fit needs a file of its own: a
        grid search takes none. Where `random_state` is None, the checkpoint keeps the seed that
        was drawn, so that the same part is held out again.
    n_jobs : int, default=None
        Number of threads; None means 1 outside of a `joblib.parallel_config`, -1 all cores, or
        what a search or a pool with several jobs leaves of them: ``GridSearchCV(..., n_jobs=-1)``
        takes the cores for its fits, each of which has one thread. The result does not depend on
        it.
    client : distributed.Client or str, optional
        A Dask cluster whose workers measure the generations, see `evolve`. Clones and copies share
        it. Pickles leave it out, and with them the other processes of a grid search; an address
        they keep.
    device, device_dtype : str, default=None
        Where generations are measured, as `evolve` has it: ``"cpu"`` or ``"cuda"`` for PyTorch, in
        ``"bfloat16"`` if asked for; None for NumPy. Predictions are NumPy's in any case.
    random_state : int, RandomState, Generator or None, default=None
        The source of randomness; an int makes fits repeatable.
    verbose : bool, default=False
        Whether to show how training stands, see `ProgressBar`; lines in a search of many fits.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    weights_ : list of ndarray
        The network's parameters: matrices ``(n_in, n_out)``, each followed by its biases.
    history_ : History
        What every generation measured.
    best_fitness_ : float
        Fitness of the network on the data that it was trained on.
    validation_score_ : float
        Fitness of the network on the held-out part; NaN without early stopping.
    n_iter_ : int
        Number of generations.
    coefs_, intercepts_ : list of ndarray
        The matrices ``(n_in, n_out)`` and the biases ``(n_out,)`` of `weights_`, a layer each.
    n_layers_, n_outputs_ : int
        Number of layers, those of the inputs and the outputs included; number of outputs, one for
        each class.
    out_activation_ : str
        Activation of the outputs, whose softmax are the probabilities; ``"softmax"`` if they are
        probabilities already.
    loss_curve_ : list of float
        Minus what selection ranks by (see `ranking`), of the best ranked network so far, on all
        training samples: by default the log loss. A value for each of the `n_iter_` generations,
        measured in every tenth. It is not minus the fitness; that is in `history_`.
    validation_scores_ : list of float or None
        Fitness on the held-out part, of the best network so far, for each of the `n_iter_`
        generations; None without early stopping.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where `X` has names that are all strings.
    ga_ : pygad.GA or None
        The engine; None in an estimator that was pickled.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_wine(return_X_y=True)
    >>> network = GeneticMLPClassifier((16,), fitness="f1_macro", random_state=0)
    >>> bool(make_pipeline(StandardScaler(), network).fit(X, y).score(X, y) > 0.97)
    True
    """

    _task = "classification"
    class_weight: dict[Any, float] | str | None = field(default=None, kw_only=True)

    @_all_or_nothing
    def fit(self, X: SamplesLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network.

        Ctrl-C ends the fit after the generation that is running and keeps the best network so far.
        In a search, a cross-validation, an ensemble or a pool of joblib, `KeyboardInterrupt` ends
        all of that instead; `evolve` says how this is decided.

        Parameters
        ----------
        X : array-like, sparse matrix or path, of shape (n_samples, n_features)
            The samples; those on disk as `evolve` takes them.
        y : array-like of shape (n_samples,)
            Their labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the scores.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data cannot be learned from, or a parameter is out of its range.
        """
        check_one_label(y)
        samples, labels = self._validated(X, y)
        check_classification_targets(labels)
        self.classes_ = np.unique(labels)
        weight = self._weights_of(samples, labels, sample_weight)
        start = self._continued()
        if start is not None and np.asarray(start.classes).tolist() != self.classes_.tolist():
            raise ValueError(
                f"warm_start continues with the classes {start.classes}, got {self.classes_}."
            )
        return self._evolve(samples, labels, weight, start=start, classes=self.classes_)

    @_all_or_nothing
    def partial_fit(
        self,
        X: SamplesLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Continue the evolution for one generation on the given samples.

        Parameters
        ----------
        X, y
            As in `fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels; needed in the first call, where `y` may lack some.
        sample_weight
            As in `fit`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the first call lacks `classes`, or a later one names others.
        """
        first = not hasattr(self, "_result")
        check_one_label(y)
        samples, labels = self._validated(X, y, reset=first)
        check_classification_targets(labels)
        if first:
            if classes is None:
                raise ValueError("classes must be passed on the first call to partial_fit.")
            self.classes_ = np.unique(np.asarray(classes))
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"classes must be {self.classes_}, as in the first call, got {classes}."
            )
        weight = self._weights_of(samples, labels, sample_weight)
        return self._evolve(
            samples,
            labels,
            weight,
            start=None if first else self._result,
            n_generations=1,
            classes=self.classes_,
        )

    def _weights_of(
        self, X: NDArray[Any], y: NDArray[Any], sample_weight: ArrayLike | None
    ) -> NDArray[Any] | None:
        if sample_weight is None and self.class_weight is None:
            return None
        weight: NDArray[Any] = _check_sample_weight(sample_weight, X)
        given = self.class_weight
        if given is not None and not isinstance(given, str):
            # Of all classes: those of `y` alone might lack some of the dictionary's.
            of_class = compute_class_weight(given, classes=self.classes_, y=self.classes_)
            given = dict(zip(self.classes_.tolist(), of_class, strict=True))
        return weight if given is None else weight * compute_sample_weight(given, y)

    def predict(self, X: SamplesLike) -> NDArray[Any]:
        """Return the label of each sample, of shape (n_samples,)."""
        return to_predictions(self._forward(X), self.classes_)

    def predict_proba(self, X: SamplesLike) -> NDArray[Any]:
        """Return the probability of each class, of shape (n_samples, n_classes)."""
        return to_probabilities(self._forward(X), self.classes_, self.out_activation_)

    def predict_log_proba(self, X: SamplesLike) -> NDArray[Any]:
        """Return the logarithm of the probability of each class."""
        # Not the logarithm of a softmax, which may be too small for a float.
        logarithms: NDArray[Any] = log_softmax(self._forward(X, skip="softmax"), axis=1)
        return logarithms


@dataclass(eq=False, repr=False)
class GeneticMLPRegressor(RegressorMixin, _GeneticMLP):
    """Multi-layer perceptron regressor trained by a genetic algorithm.

    Parameters
    ----------
    fitness : str or callable, default=None
        The score to maximise; None is R2. A name in `ga_ann.fitness.REGRESSION_FITNESS`
        (``"neg_mean_absolute_error"``, ``"neg_median_absolute_error"``, ...), a score made by
        `neg_mean_pinball_loss`, the name of a scikit-learn scorer, a scorer, or
        ``f(y_true, y_pred)``.
    hidden_layer_sizes, activation, recipe, ranking, population_size, n_parents, n_elites, \
    selection, crossover, recombination, mutation, rank, mutation_rate, sigma, sigma_decay, \
    weight_decay, batch_size, noise, init, output_activation, dtype, weight_set, n_generations, \
    max_time, max_evaluations, \
    target_fitness, early_stopping, validation_fraction, n_iter_no_change, tol, warm_start, \
    start_from, callbacks, checkpoint, n_jobs, client, device, device_dtype, random_state, verbose
        As in `GeneticMLPClassifier`.

    Attributes
    ----------
    weights_, history_, best_fitness_, validation_score_, n_iter_, coefs_, intercepts_, n_layers_, \
    n_outputs_, out_activation_, loss_curve_, validation_scores_, n_features_in_, ga_
        As in `GeneticMLPClassifier`. `n_outputs_` is the number of targets, and `loss_curve_` holds
        minus R2 by default.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-1, 1, (200, 2))
    >>> network = GeneticMLPRegressor((20,), random_state=0).fit(X, 100 * X[:, 0] * X[:, 1])
    >>> bool(network.score(X, 100 * X[:, 0] * X[:, 1]) > 0.9)
    True
    """

    _task = "regression"

    @_all_or_nothing
    def fit(self, X: SamplesLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network.

        Ctrl-C ends the fit after the generation that is running and keeps the best network so far.
        In a search, a cross-validation, an ensemble or a pool of joblib, `KeyboardInterrupt` ends
        all of that instead; `evolve` says how this is decided.

        Parameters
        ----------
        X : array-like, sparse matrix or path, of shape (n_samples, n_features)
            The samples; those on disk as `evolve` takes them.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the scores.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the data cannot be learned from, or a parameter is out of its range.
        """
        samples, targets, weight = self._checked(X, y, sample_weight, reset=True)
        return self._evolve(samples, targets, weight, start=self._continued())

    @_all_or_nothing
    def partial_fit(
        self, X: SamplesLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Continue the evolution for one generation on the given samples, as in `fit`."""
        first = not hasattr(self, "_result")
        samples, targets, weight = self._checked(X, y, sample_weight, reset=first)
        start = None if first else self._result
        return self._evolve(samples, targets, weight, start=start, n_generations=1)

    def _checked(
        self, X: SamplesLike, y: ArrayLike, sample_weight: ArrayLike | None, *, reset: bool
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]:
        samples, targets = self._validated(X, y, reset=reset, multi_output=True, y_numeric=True)
        if targets.ndim == 2 and targets.shape[1] == 1:
            targets = column_or_1d(targets, warn=True)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, samples)
        return samples, targets, weight

    def predict(self, X: SamplesLike) -> NDArray[Any]:
        """Return the targets, of shape (n_samples,) or (n_samples, n_outputs)."""
        return to_predictions(self._forward(X), None)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
