import signal
import threading
from typing import ClassVar

import joblib
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from ga_ann.ctrl_c import is_one_of_many, quitting_at_ctrl_c


@pytest.fixture
def handler():
    """Set a handler of Ctrl-C for the length of a test."""
    before = signal.getsignal(signal.SIGINT)
    yield lambda new: signal.signal(signal.SIGINT, new)
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_is_as_before_when_the_imports_are_done(handler):
    handler(signal.default_int_handler)
    with quitting_at_ctrl_c():
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(ImportError), quitting_at_ctrl_c():
        raise ImportError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("theirs", [signal.SIG_IGN, lambda *args: None])
def test_a_handler_that_somebody_set_stays(handler, theirs):
    handler(theirs)
    with quitting_at_ctrl_c():
        assert signal.getsignal(signal.SIGINT) is theirs
    assert signal.getsignal(signal.SIGINT) is theirs


def test_other_threads_leave_the_handler_alone(handler):
    handler(signal.default_int_handler)
    seen = []

    def work():
        with quitting_at_ctrl_c():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


class Asking(LinearRegression):
    """Asks in `fit` whether it is one of many."""

    def fit(self, X, y):
        type(self).answers.append(is_one_of_many())
        return super().fit(X, y)

    answers: ClassVar[list] = []


X, Y = [[k, k % 3] for k in range(12)], [2.0 * k for k in range(12)]


@pytest.mark.parametrize(
    ("fit", "answers"),
    [
        (lambda one: one.fit(X, Y), [False]),
        (lambda one: make_pipeline(one).fit(X, Y), [False]),
        (lambda one: make_pipeline("passthrough", make_pipeline(one)).fit(X, Y), [False]),
        (lambda one: TransformedTargetRegressor(one).fit(X, Y), [False]),
        (lambda one: cross_val_score(one, X, Y, cv=2), [True] * 2),
        (lambda one: cross_val_score(make_pipeline(one), X, Y, cv=2), [True] * 2),
        (lambda one: GridSearchCV(one, {"fit_intercept": [True]}, cv=2).fit(X, Y), [True] * 3),
        (lambda one: SelectFromModel(one).fit(X, Y), [True]),
        (lambda one: joblib.Parallel(n_jobs=1)([joblib.delayed(one.fit)(X, Y)]), [True]),
        (
            lambda one: joblib.Parallel(n_jobs=2, backend="threading")(
                [joblib.delayed(one.fit)(X, Y)] * 2
            ),
            [True] * 2,
        ),
    ],
)
def test_a_fit_is_one_of_many_where_scikit_learn_or_joblib_calls_it(fit, answers):
    Asking.answers.clear()
    fit(Asking())
    assert Asking.answers == answers


def test_a_module_of_a_similar_name_is_ones_own():
    code = compile("answer = is_one_of_many()", "own", "exec")
    answers = {}
    for name in (
        "joblib",
        "joblib.parallel",
        "joblibs",
        "sklearnx.model_selection",
        "sklearn",
        "sklearn.model_selection._search",
        "sklearn.pipeline",
        "sklearn.pipelines",
        None,
    ):
        space = {"is_one_of_many": is_one_of_many, "__name__": name}
        exec(code, space)
        answers[name] = space["answer"]
    assert [name for name, answer in answers.items() if answer] == [
        "joblib",
        "joblib.parallel",
        "sklearn",
        "sklearn.model_selection._search",
        "sklearn.pipelines",
    ]
