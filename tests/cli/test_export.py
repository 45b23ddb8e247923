import sys
from dataclasses import replace

import numpy as np
import onnxruntime
import pandas as pd

from ga_ann import Model, load, save_model
from ga_ann.doors import to_c_header, to_onnx

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


def test_export_writes_the_graph_that_the_library_does(ga, tmp_path):
    save_model(tmp_path / "m.npz", PLAIN)
    out = tmp_path / "m.ONNX"
    code, text, err = ga("export", tmp_path / "m.npz", "-o", out)
    assert (code, err) == (0, "")
    assert out.read_bytes() == to_onnx(PLAIN).SerializeToString()
    size = f"{out.stat().st_size:,} bytes"
    assert text == f"{out}: {size}; from X it computes label and probabilities\n"


def test_a_model_of_the_command_line_predicts_the_same_in_onnxruntime(ga, tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.normal(9, 3, 60), "colour": np.resize(["red", "blue"], 60)})
    table["fruit"] = np.where(table["size"] + 2 * (table["colour"] == "red") > 9, "fig", "kiwi")
    table.loc[::7, "size"] = np.nan
    table.to_csv(tmp_path / "t.csv", index=False)
    ga("train", tmp_path / "t.csv", "-o", tmp_path / "m.npz", "--generations", "5", "--seed", "0")
    code, text, _ = ga("export", tmp_path / "m.npz", "-o", tmp_path / "m.onnx")
    assert (code, text.split("; ")[1]) == (
        0,
        "from numbers and texts it computes label and probabilities\n",
    )
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    inputs = {"numbers": table[["size"]].to_numpy(), "texts": table[["colour"]].to_numpy(object)}
    labels, probabilities = session.run(None, inputs)
    model = load(tmp_path / "m.npz")
    np.testing.assert_array_equal(labels, model.predict(table))
    np.testing.assert_allclose(probabilities, model.predict_proba(table), atol=1e-12)


def test_of_a_model_of_pictures_the_network_is_written(ga, colour_model, tmp_path):
    network = replace(load(colour_model), extraction=None)
    code, _, _ = ga("export", colour_model, "-o", tmp_path / "m.onnx", "--from-features")
    assert (code, (tmp_path / "m.onnx").read_bytes()) == (0, to_onnx(network).SerializeToString())


def test_export_refuses(fails, colour_model, iris, tmp_path):
    save_model(tmp_path / "m.npz", PLAIN)
    out = tmp_path / "out.h"
    assert "No such file" in fails("export", tmp_path / "missing.npz", "-o", out)
    assert "cannot be read as a model" in fails("export", iris, "-o", out)
    assert "--from-features" in fails("export", colour_model, "-o", out)
    assert "must end in .h or .onnx" in fails(
        "export", tmp_path / "m.npz", "-o", tmp_path / "out.pb"
    )
    graph = tmp_path / "out.onnx"
    assert "--from-features" in fails("export", colour_model, "-o", graph)
    assert "--name is" in fails("export", tmp_path / "m.npz", "-o", graph, "--name", "fruit")
    assert "name must be one in C" in fails("export", tmp_path / "m.npz", "-o", out, "--name", "a;")
    assert [path.name for path in tmp_path.iterdir()] == ["m.npz"]


def test_without_onnx_one_line_tells_the_way_to_it(fails, tmp_path, monkeypatch):
    save_model(tmp_path / "m.npz", PLAIN)
    monkeypatch.setitem(sys.modules, "onnx", None)
    line = fails("export", tmp_path / "m.npz", "-o", tmp_path / "m.onnx")
    assert "pip install 'ga-ann[onnx]'" in line
