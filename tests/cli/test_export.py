import numpy as np

from ga_ann import Model, save_model
from ga_ann.doors import to_c_header

PLAIN = Model([np.array([[0.5, -0.25]])], "relu", "identity", np.array(["fig", "kiwi"]))


def test_export_writes_what_the_library_does(ga, tmp_path):
    save_model(tmp_path / "m.npz", PLAIN)
    code, text, err = ga("export", tmp_path / "m.npz", "-o", tmp_path / "m.h", "--name", "fruit")
    to_c_header(PLAIN, tmp_path / "same.h", name="fruit")
    written = (tmp_path / "m.h").read_bytes()
    assert written == (tmp_path / "same.h").read_bytes()
    assert (code, err) == (0, "")
    size = f"{len(written):,} bytes"
    assert text == f"{tmp_path / 'm.h'}: {size}; include it, and call fruit_predict\n"


def test_export_refuses(fails, colour_model, iris, tmp_path):
    save_model(tmp_path / "m.npz", PLAIN)
    out = tmp_path / "out.h"
    assert "No such file" in fails("export", tmp_path / "missing.npz", "-o", out)
    assert "cannot be read as a model" in fails("export", iris, "-o", out)
    assert "from pictures" in fails("export", colour_model, "-o", out)
    assert "must end in .h" in fails("export", tmp_path / "m.npz", "-o", tmp_path / "out.onnx")
    assert "name must be one in C" in fails("export", tmp_path / "m.npz", "-o", out, "--name", "a;")
    assert [path.name for path in tmp_path.iterdir()] == ["m.npz"]
