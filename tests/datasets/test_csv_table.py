import numpy as np
import pytest

from ga_ann.datasets.tables import load_features


@pytest.mark.parametrize(
    ("text", "features", "labels"),
    [
        ("1,2,0\n3,4,1\n", [[1, 2], [3, 4]], [0, 1]),
        ("a,b,class\n1,2,pear\n\n3,-4e1, fig \n", [[1, 2], [3, -40]], ["pear", "fig"]),
        ("\ufeff1,0\n", [[1]], [0]),
        ("a,class\r\n1,0.5\r\n2,1\r\n", [[1], [2]], [0.5, 1.0]),
        ('1,"a, b"\n2,c\n', [[1], [2]], ["a, b", "c"]),
        ("0,1,target\n1,2,0\n3,4,1\n", [[1, 2], [3, 4]], [0, 1]),
        ("1,target\n", [[1]], ["target"]),
        ("1,001\n2,1\n", [[1], [2]], ["001", "1"]),
        ("1,9007199254740993\n2,1\n", [[1], [2]], ["9007199254740993", "1"]),
    ],
)
def test_csv_is_read(tmp_path, text, features, labels):
    path = tmp_path / "t.CSV"
    path.write_bytes(text.encode())
    loaded, y = load_features(path)
    assert loaded.tolist() == features
    assert y.tolist() == labels
    assert loaded.dtype == np.float64


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no rows"),
        ("a,b,class\n", "no rows"),
        ("1,2,0\n3,1\n", "line 2 must hold 3 cells as line 1 does, got 2"),
        ("1,2,0\n3,x,1\n", "line 2: could not convert"),
        ("1,,0\n", "line 1: could not convert"),
        ("1,2,\n", "line 1 must hold"),
        ("label\n1\n", "line 2 must hold 1 numbers"),
        ("1,nan,0\n", "features must be finite, got nan in row 0, column 1"),
        ("1,2,0\n1,2,inf\n", "labels must be finite"),
        ("1,2,\ud800\n", "utf-8"),
    ],
)
def test_bad_csv_is_refused(tmp_path, text, reason):
    path = tmp_path / "t.csv"
    path.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(ValueError, match=rf"t\.csv cannot be read.*{reason}"):
        load_features(path)
