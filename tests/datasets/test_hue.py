import colorsys
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib.colors import rgb_to_hsv
from PIL import Image
from sklearn.base import clone
from sklearn.feature_selection import VarianceThreshold
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from ga_ann.datasets import hue as module
from ga_ann.datasets.feature_table import load_table
from ga_ann.datasets.hue import HueHistogram, hue_histogram

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "data" / "fruits360_hue_histograms.npz"
PICTURES = Path(os.environ.get("FRUITS360", ROOT.parent / "shared" / "data" / "fruits360"))
needs_pictures = pytest.mark.skipif(not PICTURES.is_dir(), reason="the pictures are not here")


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def colorsys_hues(pixels):
    return np.array([colorsys.rgb_to_hsv(*(int(c) / 255 for c in p))[0] for p in pixels])


def assert_histogram_of(counts, hues, low, high):
    """Counts may differ from those of `hues` only by colours that lie on an edge of two bins."""
    edges = np.linspace(low, high, len(counts) + 1)[1:-1]
    below = np.cumsum(counts)[:-1]
    hues = np.sort(hues)
    assert (np.searchsorted(hues, edges - 1e-12) <= below).all()
    assert (below <= np.searchsorted(hues, edges + 1e-12)).all()


colours = hnp.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3)))
few_colours = hnp.arrays(
    np.uint8,
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3)),
    elements=st.sampled_from([0, 1, 254, 255]),
)


@settings(max_examples=100)
@given(colours | few_colours, st.integers(1, 400))
def test_fixed_bins_hold_the_hues_that_colorsys_computes(image, bins):
    counts = hue_histogram(image, bins=bins, hue_range=(0, 1))
    assert counts.shape == (bins,)
    assert counts.dtype == np.int64
    assert counts.sum() == image.shape[0] * image.shape[1]
    assert_histogram_of(counts, colorsys_hues(image.reshape(-1, 3)), 0, 1)


@settings(max_examples=100)
@given(colours | few_colours, st.integers(1, 400))
def test_own_bins_span_the_hues_of_the_picture(image, bins):
    hues = colorsys_hues(image.reshape(-1, 3))
    counts = hue_histogram(image, bins=bins)
    assert counts.sum() == len(hues)
    if np.ptp(hues) > 1e-9:
        assert counts[0] > 0
        assert counts[-1] > 0
        assert_histogram_of(counts, hues, hues.min(), hues.max())


def test_hues_are_those_of_matplotlib_to_the_last_bit():
    # The same arithmetic, in a tenth of its time.
    pixels = noise(200_000)
    np.testing.assert_array_equal(module._hue(pixels), rgb_to_hsv(pixels * (1 / 255))[:, 0])


def test_colours_on_an_edge_go_where_scikit_image_puts_them():
    image = [[[255, 0, 0], [23, 32, 11], [37, 13, 35], [5, 6, 18], [39, 28, 33]]]
    counts = hue_histogram(np.array(image, dtype=np.uint8), bins=12)
    # numpy.histogram(skimage.color.rgb2hsv(image)[..., 0], bins=12), scikit-image 0.26
    assert counts.tolist() == [1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1]


def test_hues_outside_the_range_are_not_counted():
    red, green, blue = np.eye(3, dtype=np.uint8) * 255
    image = np.array([[red, green, green, blue]])
    assert hue_histogram(image, bins=2, hue_range=(0.25, 0.5)).tolist() == [2, 0]


def test_order_of_pixels_and_blocks_do_not_matter(monkeypatch):
    image = noise(50, 40)
    expected = hue_histogram(image)
    shuffled = np.random.default_rng(1).permutation(image.reshape(-1, 3)).reshape(40, 50, 3)
    np.testing.assert_array_equal(hue_histogram(shuffled), expected)
    monkeypatch.setattr(module, "_BLOCK", 7)
    np.testing.assert_array_equal(hue_histogram(image), expected)


def test_a_constant_picture_fills_one_bin():
    image = np.full((5, 4, 3), (10, 200, 30), dtype=np.uint8)
    for hue_range in (None, (0, 1)):
        counts = hue_histogram(image, hue_range=hue_range)
        assert sorted(counts)[-2:] == [0, 20]


def test_the_image_is_not_modified():
    image = noise(5, 5)
    image.flags.writeable = False
    hue_histogram(image)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I;16"])
def test_other_modes_are_converted_to_rgb(mode):
    picture = Image.fromarray(noise(9, 7))
    picture = picture.convert("I").convert("I;16") if mode == "I;16" else picture.convert(mode)
    expected = hue_histogram(np.asarray(picture.convert("RGB")), hue_range=(0, 1))
    np.testing.assert_array_equal(hue_histogram(picture, hue_range=(0, 1)), expected)
    if mode in ("1", "L", "LA", "I;16"):  # no colour: hue 0
        assert expected[0] == 63


def test_a_palette_with_transparency_gives_its_colours(tmp_path):
    picture = Image.fromarray(noise(9, 7)).convert("P")
    opaque = hue_histogram(picture)
    picture.save(tmp_path / "x.png", transparency=bytes(range(200)))
    with Image.open(tmp_path / "x.png") as reopened:
        assert reopened.mode == "P"
        np.testing.assert_array_equal(hue_histogram(reopened), opaque)


@pytest.mark.parametrize(
    ("image", "got"),
    [
        (np.zeros((4, 4), np.uint8), "(4, 4) of uint8"),
        (np.zeros((4, 4, 4), np.uint8), "(4, 4, 4) of uint8"),
        (np.zeros((4, 4, 3)), "float64"),
        (np.zeros((0, 4, 3), np.uint8), "(0, 4, 3)"),
        (None, "object"),
    ],
)
def test_what_is_no_picture_is_refused(image, got):
    with pytest.raises(ValueError, match=re.escape(got)):
        hue_histogram(image)


@pytest.mark.parametrize("hue_range", [(0, 2), (0.5, 0.5), (1, 0), (0, 0.5, 1), (0, np.nan), "ab"])
def test_bad_hue_range(hue_range):
    with pytest.raises(ValueError, match="hue_range must be None or"):
        hue_histogram(noise(2, 2), hue_range=hue_range)


def test_bad_parameter_types():
    with pytest.raises(TypeError, match="hue_range"):
        hue_histogram(noise(2, 2), hue_range=1)
    with pytest.raises(TypeError, match="bins"):
        hue_histogram(noise(2, 2), bins=3.0)
    with pytest.raises(ValueError, match="bins"):
        hue_histogram(noise(2, 2), bins=0)


@pytest.mark.parametrize("bins", [True, float("nan"), 0])
def test_bins_are_a_positive_integer(bins):
    with pytest.raises((TypeError, ValueError), match="bins must be"):
        hue_histogram(np.zeros((1, 1, 3), dtype=np.uint8), bins=bins)


@needs_pictures
def test_the_shipped_table_agrees_with_two_other_ways_to_compute_hues():
    table = load_table(TABLE)
    for k in range(0, len(table.data), 300):
        with Image.open(PICTURES / table.picture_names[k]) as picture:
            hues = colorsys_hues(np.asarray(picture).reshape(-1, 3))
            coarse = np.asarray(picture.convert("HSV"))[..., 0]  # Pillow's, in 256 steps
        assert_histogram_of(table.data[k], hues, hues.min(), hues.max())
        steps = np.abs(np.sort(np.trunc(hues * 255)) - np.sort(coarse, axis=None))
        assert steps.max() <= 1


# ---------------------------------------------------------------- HueHistogram


def test_transformer_takes_paths_pictures_and_arrays_of_any_size(folder):
    path = folder / "fig" / "0.png"
    with Image.open(path) as picture:
        mixed = [str(path), path, picture, np.asarray(picture), noise(30, 20)]
        X = HueHistogram(bins=20).fit_transform(mixed)
    assert X.shape == (5, 20)
    assert (X[:4] == X[0]).all()
    assert X.sum(axis=1).tolist() == [48, 48, 48, 48, 600]


def test_transformer_of_an_array_is_row_by_row():
    pictures = noise(4, 8, 6)
    X = HueHistogram(bins=12, hue_range=(0, 1)).transform(pictures)
    for row, picture in zip(X, pictures, strict=True):
        np.testing.assert_array_equal(row, hue_histogram(picture, bins=12, hue_range=(0, 1)))


def test_transformer_is_clonable_and_has_set_output():
    transformer = clone(HueHistogram(bins=5, hue_range=(0, 0.5))).set_output(transform="pandas")
    assert transformer.get_params() == {"bins": 5, "hue_range": (0, 0.5)}
    frame = transformer.fit_transform(noise(3, 4, 4))
    assert isinstance(frame, pd.DataFrame)
    assert list(frame) == ["hue0", "hue1", "hue2", "hue3", "hue4"]


def test_transformer_in_a_pipeline():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 10)
    pictures = rng.integers(0, 60, (20, 8, 8, 3), dtype=np.uint8)
    pictures[np.arange(20), ..., y] += 150  # red or green
    model = make_pipeline(
        HueHistogram(bins=6, hue_range=(0, 1)), VarianceThreshold(4), DecisionTreeClassifier()
    )
    model.fit(list(pictures[:10]), y[:10])
    np.testing.assert_array_equal(model.predict(pictures[10:]), y[10:])
    model.set_output(transform="pandas").fit(pictures, y)
    assert set(model[:-1].transform(pictures)) <= {"hue0", "hue1", "hue2", "hue3", "hue4", "hue5"}


def test_transformer_needs_no_fit():
    check_is_fitted(HueHistogram())
    tags = get_tags(HueHistogram())
    assert not tags.requires_fit
    assert not tags.input_tags.two_d_array


def test_transformer_refuses_bad_input(tmp_path):
    with pytest.raises(ValueError, match="bins"):
        HueHistogram(bins=-1).fit([])
    with pytest.raises(ValueError, match="at least one picture"):
        HueHistogram().transform([])
    with pytest.raises(TypeError, match="list of pictures"):
        HueHistogram().transform("apple.jpg")
    with pytest.raises(FileNotFoundError, match=r"missing\.jpg"):
        HueHistogram().transform([tmp_path / "missing.jpg"])
