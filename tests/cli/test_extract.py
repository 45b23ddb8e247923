import numpy as np
from PIL import Image

from ga_ann.datasets import hue_histogram, load_table


def test_extract(ga, terminal, pictures, tmp_path):
    out = tmp_path / "table.npz"
    code, text, err = ga(
        "extract", pictures, out, "--classes", "red,green", "--features", "tutorial", "--bins", 12
    )
    assert code == 0
    assert "12 pictures of red, green; hue in 12 bins (range of hue: each picture's own)" in text
    assert "extracting" in err
    table = load_table(out)
    assert table.target_names.tolist() == ["red", "green"]
    expected = hue_histogram(Image.open(pictures / "red" / "0.png"), bins=12)
    np.testing.assert_array_equal(table.data[0], expected)


def test_without_a_terminal_there_are_no_bars(ga, pictures, tmp_path):
    assert ga("extract", pictures, tmp_path / "t.npz", "--bins", 3)[2] == ""
