import numpy as np

from ga_ann.comparison import compare, summarise
from ga_ann.report.of_comparison import page_of_comparison


def page(comparison):
    return page_of_comparison(comparison, None, None)


def test_each_split_has_a_table_with_a_row_for_each_method(full):
    told = page(full)
    assert len(told.tables) == 3
    for line, row in zip(
        summarise(full.rows), [r for t in told.tables for r in t.rows], strict=True
    ):
        assert row.label == full.settings["labels"][line["method"]]
        training, held_out, *_ = row.cells
        assert training.text == f"{100 * line['train_score']['median']:.1f} %"
        assert (held_out.text == "\N{EN DASH}") == (line["split"] == "all")


def test_differences_stand_where_their_numbers_say(full):
    for _, whiskers in page(full).differences:
        for one in whiskers:
            assert one.low <= one.middle <= one.high
            assert (one.middle > one.zero) == (float(one.text.split()[0]) > 0)
            assert all(0 <= place <= 100 for place in (one.low, one.high, one.zero))


def test_the_headline_has_curves_and_what_evolves_has_movement(full):
    told = page(full)
    assert [chart.title for chart in told.curves] == [
        "Trained on group 0, tested on group 1",
        "Trained on group 1, tested on group 0",
    ]
    assert [chart.title for chart in told.movement] == ["tutorial's GA", "classic GA", "default GA"]


def test_a_regression_has_predictions_and_no_matrix(measured):
    told = page(measured)
    assert (told.matrices, told.mistakes) == ([], [])
    assert len(told.predictions) == len(told.errors) == 5
    assert told.differences_note == "There are no intervals: they take at least 3 seeds."


def test_the_call_that_is_told_repeats_the_comparison():
    first = compare(data="wine", methods=["random", "adam"], seeds=2, hidden_layer_sizes=4)
    again = eval(page(first).command, {"compare": compare})
    ours, theirs = (
        [{**row, "seconds": 0} for row in comparison.rows] for comparison in (first, again)
    )
    assert str(ours) == str(theirs)
    assert again.settings == first.settings


def test_colours_are_the_methods_in_all_parts(full):
    told = page(full)
    colours = {row.label: row.colour for row in told.tables[0].rows}
    assert sorted(colours.values()) == list(range(6))
    assert {matrix.label: matrix.colour for matrix in told.matrices} == colours
    rows = next(iter(told.curves[0].spec["datasets"].values()))
    assert {row["n"]: row["s"] for row in rows} == colours


def test_sums_count_every_tested_sample_of_the_headline(full):
    for matrix in page(full).matrices:
        n = np.sum([[count for count, _ in row] for row in matrix.counts])
        assert n == 150 * full.settings["n_seeds"]
