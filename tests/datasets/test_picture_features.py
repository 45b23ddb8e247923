import colorsys
import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from ga_ann.datasets.hue import hue_histogram, to_hsv
from ga_ann.datasets.picture_features import PictureFeatures, choose_bins, choose_features

ALL = [
    PictureFeatures("hsv", 5, (0.0, 1.0)),
    PictureFeatures("hue", 15, (0.25, 0.5)),
    PictureFeatures("tutorial", 9, (0.0, 1.0)),
    PictureFeatures("tutorial", 9, None),
]


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (12, 10, 3), dtype=np.uint8)


def test_hue_saturation_and_value_are_those_of_the_standard_library(picture):
    pixels = np.concatenate([picture.reshape(-1, 3), [[0, 0, 0], [7, 7, 7], [255, 255, 255]]])
    ours = np.column_stack(to_hsv(pixels.astype(np.uint8)))
    oracle = [colorsys.rgb_to_hsv(*(pixel / 255)) for pixel in pixels]
    np.testing.assert_allclose(ours, oracle, atol=1e-12)


def test_shares_count_each_pixel_once_and_its_hue_by_its_saturation(picture):
    hue, saturation, value = to_hsv(picture.reshape(-1, 3))
    row = PictureFeatures("hsv", 5, (0, 1)).compute(picture)
    shares = row.reshape(3, 5)
    np.testing.assert_allclose(shares.sum(axis=1), [saturation.mean(), 1, 1])
    edges = np.linspace(0, 1, 6)
    for k, inside in enumerate(hue_in := np.digitize(hue, edges) == np.arange(1, 6)[:, None]):
        np.testing.assert_allclose(shares[0, k], (saturation * inside).mean())
    assert hue_in.sum() == hue.size
    in_bins = np.digitize(value, edges[:-1]) - 1
    np.testing.assert_allclose(shares[2], np.bincount(in_bins, minlength=5) / value.size)
    np.testing.assert_array_equal(PictureFeatures("hue", 5, (0, 1)).compute(picture), row[:5])


def test_the_tutorials_are_the_counts_of_its_histogram(picture):
    for features in ALL[2:]:
        expected = hue_histogram(picture, bins=9, hue_range=features.hue_range)
        np.testing.assert_array_equal(features.compute(picture), expected)


def test_shares_do_not_depend_on_size_or_place_and_the_tutorials_counts_do(picture):
    shuffled = np.random.default_rng(1).permutation(picture.reshape(-1, 3)).reshape(picture.shape)
    larger = picture.repeat(2, axis=0).repeat(3, axis=1)
    for features in ALL:
        row = features.compute(picture)
        np.testing.assert_allclose(features.compute(shuffled), row)
        factor = 6 if features.kind == "tutorial" else 1
        np.testing.assert_allclose(features.compute(larger), factor * row)


def test_brightness_is_seen_by_hsv_alone():
    dark, light = (np.full((3, 3, 3), level, dtype=np.uint8) for level in (30, 200))
    for features in ALL:
        alike = np.array_equal(features.compute(dark), features.compute(light))
        assert alike == (features.kind != "hsv")
        assert ("and brightness" in features.sees) == (features.kind == "hsv")


@pytest.mark.parametrize("features", ALL)
def test_settings_survive_json_and_tell_the_columns(features, picture):
    assert PictureFeatures.of_dict(json.loads(json.dumps(features.as_dict))) == features
    row = features.compute(Image.fromarray(picture))
    assert row.shape == (features.n_columns,) == (len(set(features.names)),)
    assert PictureFeatures.of_columns(features.kind, len(row), features.hue_range) == features
    assert str(features.bins) in str(features)


def test_settings_that_differ_in_one_value_are_others():
    plain = [str(features.as_dict) for features in ALL]
    plain += [str(dataclasses.replace(features, bins=6).as_dict) for features in ALL]
    plain += [str(PictureFeatures("hue", 5, (0.0, 1.0)).as_dict)]
    assert len(set(plain)) == len(plain)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bins": 3}, "must give bins and hue_range"),
        ({"bins": 3, "hue_range": None, "size": 1}, "must give bins and hue_range"),
        ({"features": "colour", "bins": 3, "hue_range": [0, 1]}, "features must be one of"),
        ({"features": "hsv", "bins": 3, "hue_range": None}, "own range goes with 'tutorial'"),
        ({"features": "hsv", "bins": 0, "hue_range": [0, 1]}, "bins"),
        ({"features": "hsv", "bins": 3, "hue_range": [1, 0]}, "hue_range"),
    ],
)
def test_settings_that_are_none_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        PictureFeatures.of_dict(settings)


def test_bins_grow_as_the_cube_root_of_the_pictures_within_limits():
    assert [choose_bins(k**3) for k in range(7, 10)] == list(range(7, 10))
    counts = [choose_bins(n) for n in range(1, 2000)]
    assert counts == sorted(counts)
    assert (counts[0], choose_bins(10**9)) == (7, 9)


def test_what_is_not_chosen_has_the_kinds_default():
    assert choose_features(36, "hue") == PictureFeatures("hue", 7, (0, 1))
    assert choose_features(36, bins=3, hue_range=(0, 0.5)) == PictureFeatures("hsv", 3, (0, 0.5))
    assert choose_features(36, "tutorial", hue_range=(0, 1)).bins == 360
    with pytest.raises(ValueError, match=r"features must be one of .* got 'colour'"):
        choose_features(36, "colour")
