import pytest

from ga_ann.datasets import shipped_table


@pytest.mark.parametrize("link", [False, True])
def test_inputs_are_not_overwritten(fails, colour_model, tmp_path, link):
    table = tmp_path / "table.npz"
    table.write_bytes(colour_model.with_name("table.npz").read_bytes())
    out = table
    if link:
        out = tmp_path / "link.npz"
        out.symlink_to(table)
    before = table.read_bytes()
    assert "would be overwritten" in fails("train", table, "-o", out)
    history = tmp_path / "history.png"
    history.write_bytes(colour_model.read_bytes())
    assert "would be overwritten" in fails("plot", colour_model, history, "-o", history)
    assert "would be overwritten" in fails("extract", table, out)
    labels = tmp_path / "y.npz"
    labels.write_bytes(b"")
    assert "would be overwritten" in fails("train", "X.npy", "--target", labels, "-o", labels)
    assert table.read_bytes() == before
    assert history.read_bytes() == colour_model.read_bytes()


def test_the_shipped_table_is_not_overwritten(fails):
    shipped = shipped_table()
    assert "would be overwritten" in fails("train", "fruits360", "-o", shipped)


def test_outputs_that_cannot_be_written_are_found_before_the_work(
    fails, iris, monkeypatch, tmp_path, breaks
):
    monkeypatch.setattr("ga_ann.datasets.load_samples", breaks(AssertionError("work was done")))
    monkeypatch.setattr("pathlib.Path.open", breaks(PermissionError(13, "Permission denied")))
    line = fails("train", iris, "-o", tmp_path / "m.npz")
    assert line == f"ga-ann: error: {tmp_path / 'm.npz'}: Permission denied."


@pytest.mark.parametrize("command", ["train", "predict"])
def test_no_name_is_not_the_current_folder(fails, colour_model, tmp_path, command):
    arguments = ["", "-o", tmp_path / "m.npz"] if command == "train" else [colour_model, ""]
    assert "DATA must name a file or a folder, got ''" in fails(command, *arguments)


@pytest.mark.parametrize(
    ("folder", "options", "message"),
    [
        ("missing", [], "does not exist"),
        ("red/0.png", [], "is not a folder"),
        ("red", [], "no sub-folders"),
        (".", ["--classes", "red,blue"], "blue"),
        (".", ["--range", "0.5"], "--range must be two numbers"),
        (".", ["--range", "a,b"], "--range must be numbers"),
        (".", ["--range", "1,0"], "hue_range"),
        (".", ["--bins", "0"], "--bins"),
    ],
)
def test_extract_refuses(fails, pictures, tmp_path, folder, options, message):
    assert message in fails("extract", pictures / folder, tmp_path / "out.npz", *options)
    assert not list(tmp_path.iterdir())


def test_extract_names_a_truncated_picture(ga, tmp_path):
    (tmp_path / "in" / "red").mkdir(parents=True)
    (tmp_path / "in" / "red" / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    code, _, err = ga("extract", tmp_path / "in", tmp_path / "out.npz")
    assert code == 2
    assert "cut.png" in err
    assert "Traceback" not in err
    assert not (tmp_path / "out.npz").exists()


@pytest.mark.parametrize("command", ["extract", "train"])
def test_outputs_are_checked_before_the_work(fails, pictures, tmp_path, command):
    def run(out):
        return fails(command, pictures, *([out] if command == "extract" else ["-o", out]))

    (tmp_path / "folder.npz").mkdir()
    assert "must end in .npz" in run(tmp_path / "out.txt")
    assert "does not exist" in run(tmp_path / "missing" / "out.npz")
    assert "is a folder" in run(tmp_path / "folder.npz")
