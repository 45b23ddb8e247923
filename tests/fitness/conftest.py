"""What the tests of scores share: random populations, and a comparison solution by solution."""

import numpy as np
import pytest


def draw_case(seed, n_classes, n_samples, kind, weighted, dtype=np.float32):
    rng = np.random.default_rng(seed)
    outputs = rng.standard_normal((3, n_classes, n_samples)) * 3
    if kind == "ties":
        outputs = outputs.round()
    y = rng.integers(0, n_classes, n_samples)
    if kind == "lopsided":  # one class is hardly predicted, and only two are there
        outputs[:, 0] -= 6
        y = np.minimum(y, 1)
    return outputs.astype(dtype), y, draw_weights(rng, n_samples) if weighted else None


def draw_weights(rng, n_samples):
    # Multiples of a quarter: their sums are exact, so that what is equal compares equal.
    weights = rng.integers(0, 9, n_samples) / 4
    weights[rng.integers(n_samples)] = 1
    return weights


def one_by_one(metric, outputs, y, weights):
    """Return a metric of every solution; samples of weight 0 are taken away before."""
    kept = slice(None) if weights is None else weights > 0
    if weights is not None:
        weights = weights[kept]
    return np.array([metric(y[..., kept], one[..., kept], weights) for one in outputs])


def check_case(score, metric, case, tolerance=1e-9):
    outputs, y, weights = case
    expected = one_by_one(metric, outputs, y, weights)  # before the outputs are overwritten
    found = score(outputs, y, weights)
    assert found.dtype == np.float64
    assert found == pytest.approx(expected, rel=tolerance, abs=tolerance)


@pytest.fixture(scope="session")
def draw():
    """Return outputs, classes and weights; some lack classes, in the truth or the predictions."""
    return draw_case


@pytest.fixture(scope="session")
def check():
    """Assert that a score is a metric of every solution."""
    return check_case
