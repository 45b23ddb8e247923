from pathlib import Path

import numpy as np
from PIL import Image

from ga_ann import plotting
from ga_ann.cli import plot
from ga_ann.history import History
from ga_ann.storage.model import Model, save_model


def test_plot(ga, colour_model, tmp_path):
    code, text, _ = ga("plot", colour_model, "-o", tmp_path / "one.png")
    assert (code, text) == (0, f"{tmp_path / 'one.png'}\n")
    with Image.open(tmp_path / "one.png") as picture:
        assert picture.size[0] > 300
    other = tmp_path / "other.npz"
    other.write_bytes(colour_model.read_bytes())
    assert ga("plot", colour_model, other, "-o", tmp_path / "two.svg", "--x", "seconds")[0] == 0
    assert (tmp_path / "two.svg").stat().st_size


def test_plot_refuses(fails, colour_model, iris, tmp_path):
    out = tmp_path / "out.png"
    assert "No such file" in fails("plot", tmp_path / "h.npz", "-o", out)
    assert "cannot be read as" in fails("plot", iris, "-o", out)
    assert "x must be one of" in fails("plot", colour_model, "-o", out, "--x", "hours")
    assert "must end in one of" in fails("plot", colour_model, "-o", tmp_path / "out.doc")
    assert "does not exist" in fails("plot", colour_model, "-o", tmp_path / "missing" / "out.png")
    model = Model([np.ones((4, 3))], "relu", "identity", np.arange(3))
    save_model(tmp_path / "m.npz", model)
    assert "without a history" in fails("plot", tmp_path / "m.npz", "-o", out)
    save_model(tmp_path / "m.npz", model, History())
    assert "nothing to plot" in fails("plot", tmp_path / "m.npz", "-o", out)
    assert {path.name for path in tmp_path.iterdir()} == {"m.npz"}


def test_histories_of_one_name_are_told_apart(ga, colour_model, tmp_path):
    names = plot._name_apart([Path("a/m.npz"), Path("a/m.npz"), Path("b/m.npz"), Path("a/m.h")])
    assert names == ["a/m", "a/m (2)", "b/m", "a/m (3)"]
    assert ga("plot", colour_model, colour_model, "-o", tmp_path / "two.svg")[0] == 0


def test_a_band_takes_files_of_one_label_for_seeds(ga, colour_model, tmp_path, monkeypatch):
    drawn = []
    real = plotting.plot_fitness
    monkeypatch.setattr(plotting, "plot_fitness", lambda *a, **k: drawn.append(real(*a, **k)))
    out = tmp_path / "band.png"
    for options, n_curves, n_bands in ((["--band"], 1, 1), ([], 2, 0)):
        assert ga("plot", colour_model, colour_model, "-o", out, *options)[0] == 0
        bands = [band for band in drawn[-1].collections if band.get_label() == "_band"]
        assert len(bands) == n_bands
        curves = [line for line in drawn[-1].get_lines() if line.get_linewidth() == 2]
        assert len(curves) == n_curves
