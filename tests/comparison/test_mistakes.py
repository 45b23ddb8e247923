"""Who is wrong most often, against counting by hand."""

from statistics import median

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ga_ann.comparison.mistakes import rank_errors, rank_wrong

Y = np.array([0, 1, 2, 1, 0, 2])
RUNS = st.lists(
    st.dictionaries(st.integers(0, 5), st.integers(0, 2), min_size=1), min_size=1, max_size=5
)


def predicted_by(runs):
    return [(np.array(list(run)), np.array(list(run.values()))) for run in runs]


@given(RUNS)
def test_wrong_samples_are_those_that_counting_finds(runs):
    found, n_tested = rank_wrong(predicted_by(runs), Y)
    assert n_tested == len({k for run in runs for k in run})
    answers = {k: [run[k] for run in runs if k in run] for k in range(len(Y))}
    wrong = {k: [a for a in told if a != Y[k]] for k, told in answers.items()}
    assert {one.sample for one in found} == {k for k, told in wrong.items() if told}
    for one in found:
        assert one.taken_for == set(wrong[one.sample])
        assert (one.n_wrong, one.n_runs) == (len(wrong[one.sample]), len(answers[one.sample]))
    assert found == sorted(found, key=lambda one: (-one.n_wrong, one.sample))


@given(RUNS)
def test_errors_are_those_of_the_median_prediction_largest_first(runs):
    table = rank_errors(predicted_by(runs), Y.astype(float))
    answers = {k: [run[k] for run in runs if k in run] for k in range(len(Y))}
    expected = {k: median(told) for k, told in answers.items() if told}
    assert dict(zip(table["sample"], table["predicted"], strict=True)) == expected
    for line in table.itertuples():
        assert line.error == expected[line.sample] - Y[line.sample]
        assert line.n_runs == len(answers[line.sample])
    sizes = table["error"].abs().tolist()
    assert sizes == sorted(sizes, reverse=True)
