"""One run of a comparison: a method is trained on one split, and measured."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import root_mean_squared_error

from ga_ann.comparison.data_sets import DataSet, Samples
from ga_ann.comparison.methods import Job, Method, Trained
from ga_ann.comparison.splits import Split
from ga_ann.datasets import take_rows
from ga_ann.evolution import one_blas_thread
from ga_ann.fitness import PopulationScore, resolve_fitness
from ga_ann.history import History

__all__ = ["Plan", "Run", "check_fitness", "do_run"]

Array = NDArray[Any]
Indices = NDArray[np.intp]


class Plan(NamedTuple):
    """What all runs of a comparison have in common.

    Attributes
    ----------
    samples : Samples
        All samples.
    data_set : DataSet
        How networks are trained on them.
    fitness : PopulationScore
        What all methods are measured by.
    track_weights : bool
        Whether the Histories are to say how the weights moved.
    """

    samples: Samples
    data_set: DataSet
    fitness: PopulationScore
    track_weights: bool = False

    @property
    def fitness_name(self) -> str:
        """What the fitness is called."""
        return getattr(self.fitness, "__name__", repr(self.fitness))


class Run(NamedTuple):
    """What a run gives; see `Comparison`.

    Attributes
    ----------
    row : dict
        What was measured.
    history : History
        What was measured on the way, in terms of the fitness.
    predicted : ndarray
        Classes, or numbers, predicted for the test part.
    """

    row: dict[str, Any]
    history: History
    predicted: Array


# The matrices are small: threads of BLAS that wait for each other are slow on a busy machine. With
# one, the seconds of the methods compare.
@one_blas_thread()
def do_run(
    plan: Plan, split: Split, name: str, method: Method, max_time: float | None, random_state: int
) -> Run:
    """Train and measure one method on one split.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C ended the training.
    ValueError
        If what a method of the user's answers is of another shape than `Trained` says, or is NaN,
        or no class.
    """
    y_train, y_test = plan.samples.y[split.train], plan.samples.y[split.test]
    X_train, X_test = _parts(plan.samples.X, split)
    n_classes = None if plan.samples.labels is None else len(plan.samples.labels)
    # Copies, since a method may write into what it is given, and keep what it returns.
    job = Job(
        X_train.copy(order="K"),
        y_train.copy(),
        n_classes=n_classes,
        hidden_layer_sizes=plan.data_set.hidden_layer_sizes,
        bias=plan.data_set.bias,
        max_time=max_time,
        random_state=random_state,
        fitness=plan.fitness,
        track_weights=plan.track_weights,
    )
    started = perf_counter()
    trained = method.train(job)
    seconds = perf_counter() - started
    if trained.stop_reason == "interrupted":
        raise KeyboardInterrupt
    ask = partial(_ask, name, trained, n_classes=n_classes)
    test_outputs, predicted = ask(X_test)
    train_outputs, fitted = ask(X_train)
    train_score = _measure(plan.fitness, train_outputs, y_train)
    held_out_score = _measure(plan.fitness, test_outputs, y_test)
    is_held_out = split.kind != "all"
    tell_errors = _count_wrong if job.task == "classification" else _root_mean_squares
    row = {
        "method": name,
        "split": split.name,
        "seed": split.seed,
        "train_score": train_score,
        "held_out_score": held_out_score if is_held_out else float("nan"),
        **tell_errors(y_train, fitted, y_test, predicted, is_held_out),
        "evaluations": trained.history.last["evaluations"],
        "seconds": seconds,
        "stop_reason": trained.stop_reason,
    }
    history = _in_terms_of(trained.history, plan.fitness_name, train_score)
    history.label = method.label
    return Run(row, history, predicted)


def _parts(X: Any, split: Split) -> tuple[Array, Array]:
    """Return the inputs of the training and of the test part."""
    with warnings.catch_warnings():
        # A category that the training part lacks says nothing to who compares methods.
        warnings.filterwarnings("ignore", message=".*holds what the training never saw")
        train, test = (
            split.inputs.transform(take_rows(X, part)) for part in (split.train, split.test)
        )
    return train, test


def _ask(name: str, trained: Trained, X: Array, *, n_classes: int | None) -> tuple[Array, Array]:
    """Return copies of a method's outputs and predictions, and refuse what they must not be."""
    outputs = np.array(trained.predict_scores(X.copy(order="K")))
    predicted = np.array(trained.predict(X.copy(order="K")))
    shape = (len(X), n_classes or 1)
    if outputs.shape != shape or not _are_numbers(outputs):
        raise ValueError(
            f"the method {name!r} must give outputs by predict_scores, numbers of shape {shape}, "
            f"got {_describe(outputs)}."
        )
    kind = "a number" if n_classes is None else f"an index below {n_classes}"
    if (
        predicted.shape != shape[:1]
        or not _are_numbers(predicted)
        or not (n_classes is None or np.isin(predicted, np.arange(n_classes)).all())
    ):
        raise ValueError(
            f"the method {name!r} must predict one answer a sample, {kind}, an array of shape "
            f"{shape[:1]}, got {_describe(predicted)}."
        )
    return outputs, predicted if n_classes is None else predicted.astype(np.intp)


def _are_numbers(answer: Array) -> bool:
    return answer.dtype.kind in "biuf" and not np.isnan(answer).any()


def _describe(answer: Array) -> str:
    """Return in words what a method answered."""
    has_nan = answer.dtype.kind == "f" and bool(np.isnan(answer).any())
    shown = f", such as {answer.flat[0]!s}" * (answer.size > 0 and not has_nan)
    return f"{answer.shape} of {answer.dtype}" + (" with NaN" if has_nan else shown)


def _count_wrong(
    y_train: Array, fitted: Array, y_test: Array, predicted: Array, is_held_out: bool
) -> dict[str, float]:
    right = predicted == y_test
    return {
        "train_accuracy": float((fitted == y_train).mean()),
        "held_out_accuracy": float(right.mean()) if is_held_out else float("nan"),
        "n_wrong": int((~right).sum()),
    }


def _root_mean_squares(
    y_train: Array, fitted: Array, y_test: Array, predicted: Array, is_held_out: bool
) -> dict[str, float]:
    held_out = root_mean_squared_error(y_test, predicted) if is_held_out else float("nan")
    return {
        "train_rmse": float(root_mean_squared_error(y_train, fitted)),
        "held_out_rmse": float(held_out),
    }


def _measure(score: PopulationScore, outputs: Array, y: Array) -> float:
    """Return the score of one network's outputs, of shape (n_samples, n_outputs)."""
    # Scores may overwrite what they are given, so they get a copy.
    population = np.array(outputs.T[None], dtype=np.float64, order="C")
    return float(score(population, y if y.dtype.kind != "f" else y[None])[0])


def _in_terms_of(history: History, fitness: str, score: float) -> History:
    """Return a copy in terms of this fitness; of another score only the end is left."""
    if history.metric == fitness:
        return history.copy()
    end = History(metric=fitness, settings=history.settings)
    end.append(**{**history.last, "best_fitness": score, "mean_fitness": float("nan")})
    return end


def check_fitness(
    fitness: str | Callable[..., Any] | None, classes: Array | None, y: Array
) -> PopulationScore:
    """Return the score, and refuse one that does not even know faultless predictions.

    None is the accuracy, or R2 for a regression, which has no classes.

    Raises
    ------
    ValueError
        If it is unknown, or NaN for predictions that are all right.
    TypeError
        If it is neither a name nor a function.

    Examples
    --------
    >>> check_fitness("accuracy", np.array(["a", "b"]), np.array([0, 1])).__name__
    'accuracy'
    """
    faultless = y[:, None] if classes is None else np.eye(len(classes))[y]
    if fitness is None:
        fitness = "r2" if classes is None else "accuracy"
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        score = _measure(resolve_fitness(fitness, classes=classes), faultless, y)
    if np.isnan(score):
        reasons = " ".join(str(warning.message) for warning in told)
        raise ValueError(f"fitness must be a score of these data, got NaN from it. {reasons}")
    # Anew, since a score warns of its first failure only.
    return resolve_fitness(fitness, classes=classes)
