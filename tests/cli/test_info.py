import ga_ann


def test_info(ga, colour_model, iris, tmp_path):
    code, text, err = ga("info", colour_model)
    assert (code, err) == (0, "")
    lines = text.splitlines()
    assert lines[0] == f"model, format 1, written by ga_ann {ga_ann.__version__}"
    assert lines[1] == "network: 4-4-2, relu, then identity"
    assert lines[2] == "classes: green, red"
    assert "best accuracy 1.0000" in text
    run = tmp_path / "run.npz"
    ga("train", iris, "-o", tmp_path / "m.npz", "--generations", 2, "--checkpoint", run)
    code, text, err = ga("info", run)
    assert (code, err) == (0, "")
    assert text.startswith("checkpoint, format 1")
    assert "GA: generation 2, best accuracy" in text
    assert ga("plot", run, "-o", tmp_path / "run.png")[0] == 0


def test_info_refuses(fails, iris, tmp_path):
    assert "No such file" in fails("info", tmp_path / "missing.npz")
    assert "cannot be read as a model, a history or a checkpoint" in fails("info", iris)
    assert "Is a directory" in fails("info", tmp_path)
