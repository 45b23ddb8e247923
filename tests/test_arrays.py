import numpy as np
import pytest

from ga_ann.arrays import matmul, namespace_of
from tests.devices import needs_torch


@needs_torch
@pytest.mark.parametrize("name", ["float32", "float64", "bfloat16"])
def test_matrices_of_pytorch_are_multiplied_as_pytorch_does(name):
    import torch

    rng, dtype = np.random.default_rng(0), getattr(torch, name)
    first, second = (torch.tensor(rng.integers(-4, 5, (3, 4, 4)), dtype=dtype) for _ in range(2))
    for right in (second, second.mT, second[0]):
        product = matmul(first, right)
        assert product.dtype == dtype
        assert torch.equal(product, torch.matmul(first, right))


def test_arrays_of_several_libraries_keep_their_own_namespace():
    strict = pytest.importorskip("array_api_strict")
    for _ in range(2):
        assert namespace_of(np.zeros(2)) is np
        assert namespace_of(strict.asarray([1.0])) is not np
