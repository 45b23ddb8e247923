import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from ga_ann.report.conclusion import Conclusion
from ga_ann.report.page import MOST_CLASSES, MOST_SHOWN, Answers, Page, judge, shorten
from ga_ann.report.pictures import Album

RNG = np.random.default_rng(0)


def page_of(answers, runs):
    page = Page("kind", "title", "", Conclusion())
    judge(page, answers, [("mine", 2, runs)])
    return page


def classes(n, n_samples=200):
    y, predicted = RNG.integers(n, size=(2, n_samples))
    answers = Answers(y, [f"class {k}" for k in range(n)], list(map(str, range(n_samples))))
    return answers, predicted


def test_the_matrix_is_the_sum_over_the_runs():
    answers, predicted = classes(4)
    everything = np.arange(200)
    (matrix,) = page_of(
        answers, [(everything, predicted), (everything[:50], answers.y[:50])]
    ).matrices
    expected = confusion_matrix(answers.y, predicted)
    expected += confusion_matrix(answers.y[:50], answers.y[:50])
    assert [[count for count, _ in row] for row in matrix.counts] == expected.tolist()
    np.testing.assert_allclose(
        [sum(share for _, share in row) for row in matrix.counts], 1, atol=0.01
    )
    n_wrong = int((answers.y != predicted).sum())
    assert matrix.summary == f"{n_wrong} of 250 wrong"


def test_of_too_many_classes_the_worst_pairs_are_told():
    answers, predicted = classes(MOST_CLASSES + 1, 3000)
    (matrix,) = page_of(answers, [(np.arange(3000), predicted)]).matrices
    assert matrix.counts == []
    counts = confusion_matrix(answers.y, predicted)
    np.fill_diagonal(counts, 0)
    for true, wrong, count in matrix.pairs:
        assert counts[int(true.split()[1]), int(wrong.split()[1])] == count
    assert [count for *_, count in matrix.pairs] == sorted(counts.ravel())[
        : -len(matrix.pairs) - 1 : -1
    ]


def test_what_was_wrong_most_often_is_shown_first(pictures):
    answers = Answers(
        np.zeros(3, int), ["a", "b"], ["none", "apple/0.png", "right"], Album(pictures)
    )
    everything = np.arange(3)
    runs = [(everything, np.array([0, 1, 0])), (everything, np.array([1, 1, 0]))]
    (mistakes,) = page_of(answers, runs).mistakes
    assert mistakes.summary == "2 of 3 samples wrong at least once"
    first, second = mistakes.shown
    assert first[0].startswith("data:image/jpeg;base64,")
    assert first[1:] == ("apple/0.png", "a", "b", "2 of 2 runs")
    assert second == (None, "none", "a", "b", "1 of 2 runs")


def test_no_more_samples_are_shown_than_fit():
    answers, _ = classes(2)
    (mistakes,) = page_of(answers, [(np.arange(200), 1 - answers.y)]).mistakes
    assert (len(mistakes.shown), mistakes.left) == (MOST_SHOWN, 200 - MOST_SHOWN)


def test_of_a_regression_predictions_and_largest_errors_are_shown():
    y = np.array([1.0, 2.0, 3.0])
    page = page_of(Answers(y, [], ["a", "b", "c"]), [(np.arange(3), y + np.array([0, 4, -3]))])
    assert page.predictions[0].note == f"root mean squared error {np.sqrt(25 / 3):.4g}"
    assert [row[0] for row in page.errors[0].shown] == ["b", "c", "a"]
    assert page.errors[0].shown[0] == ("b", "2", "6", "+4")
    assert not page.matrices


@pytest.mark.parametrize("length", [79, 80, 81, 1000])
def test_long_names_are_cut(length):
    cut = shorten("x" * length)
    assert len(cut) == min(length, 80)
    assert cut.endswith("x") == (length <= 80)
