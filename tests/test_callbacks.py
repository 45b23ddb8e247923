"""Callbacks on histories made by hand; `test_evolution` runs them for real."""

import io

import pytest

from ga_ann.callbacks import EarlyStopping, ProgressBar
from ga_ann.history import History


def feed(callback, values, column="validation_score"):
    history = History()
    answers = []
    for k, value in enumerate(values):
        history.append(generation=k, best_fitness=0.5, **{column: value})
        answers.append(callback(None, history))
    return answers


def test_early_stopping_counts_from_the_last_improvement():
    answers = feed(EarlyStopping(2), [0.1, 0.2, 0.2, 0.3, 0.3, 0.25, 0.9])
    assert [bool(a) for a in answers] == [False] * 5 + [True, False]
    assert "validation_score" in answers[5]


def test_early_stopping_ignores_what_is_less_than_tol():
    assert feed(EarlyStopping(2, tol=0.1), [0.5, 0.55, 0.59])[-1]
    assert not feed(EarlyStopping(2, tol=0.01), [0.5, 0.55, 0.59])[-1]


def test_early_stopping_is_not_fooled_by_nan():
    assert [bool(a) for a in feed(EarlyStopping(2), [float("nan")] * 3)] == [False, True, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_iter_no_change": 0}, "n_iter_no_change"),
        ({"n_iter_no_change": 1, "tol": -1}, "tol"),
        ({"n_iter_no_change": 1, "column": "wit"}, "best_fitness.*got 'wit'"),
    ],
)
def test_early_stopping_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**arguments)


def test_progress_shows_the_numbers_that_matter():
    stream = io.StringIO()
    with ProgressBar(3, "GA", file=stream, mininterval=0) as bar:
        feed(bar, [0.1, 0.7, float("nan")])
    shown = stream.getvalue()
    assert "best=0.5000" in shown
    assert "held out=0.7000" in shown
    assert "2/3" in shown
    with ProgressBar(3, file=io.StringIO()) as bar:
        bar(None, History())
