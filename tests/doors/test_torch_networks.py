import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ga_ann import Model, evolve, init_weights
from ga_ann.doors import from_torch, to_torch

torch = pytest.importorskip("torch")
nn = torch.nn

MODULES = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "softmax": lambda: nn.Softmax(dim=1),
    "tanh": nn.Tanh,
}
NAMES = st.sampled_from(sorted(MODULES))
LAYERS = st.lists(st.tuples(st.integers(1, 5), NAMES, st.booleans()), min_size=1, max_size=4)


def model_of(seed, layers, dtype=np.float32):
    """Return a model with its own activation, and biases or none, for each layer."""
    rng = np.random.default_rng(seed)
    weights, n_in = [], 3
    for n_out, _, has_bias in layers:
        weights.append(rng.normal(0, n_in**-0.5, (n_in, n_out)).astype(dtype))
        weights += [rng.normal(size=n_out).astype(dtype)] * has_bias
        n_in = n_out
    *hidden, output = [name for _, name, _ in layers]
    return Model(weights, tuple(hidden), output, None)


def outputs_of(network, X):
    with torch.no_grad():
        return network(torch.from_numpy(X)).numpy()


def check_outputs(mine, theirs):
    """Compare to a millionth of the largest: sums in another order round terms, not results."""
    largest = max(1, np.abs(theirs).max())
    np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-6 * largest)


@settings(max_examples=60)
@given(seed=st.integers(0, 999), layers=LAYERS, dtype=st.sampled_from([np.float32, np.float64]))
def test_a_model_gives_the_same_outputs_in_pytorch_and_comes_back_bit_for_bit(seed, layers, dtype):
    model = model_of(seed, layers, dtype)
    X = np.random.default_rng(seed + 1).normal(size=(40, 3)).astype(dtype)
    there = to_torch(model)
    outputs = outputs_of(there, X)
    assert outputs.dtype == dtype
    check_outputs(outputs, model.predict_scores(X))
    back = from_torch(there, task="regression")
    assert (back.activation, back.output_activation) == (model.activation, model.output_activation)
    for mine, first in zip(back.weights, model.weights, strict=True):
        assert mine.dtype == dtype
        assert mine.tobytes() == first.tobytes()


@settings(max_examples=30)
@given(seed=st.integers(0, 999), layers=LAYERS)
def test_a_sequential_gives_the_same_outputs_here(seed, layers):
    torch.manual_seed(seed)
    modules, n_in = [], 3
    for n_out, name, has_bias in layers:
        modules += [nn.Linear(n_in, n_out, bias=has_bias), MODULES[name]()]
        n_in = n_out
    network = nn.Sequential(*modules)
    X = np.random.default_rng(seed).normal(size=(40, 3)).astype(np.float32)
    outputs = outputs_of(network, X)
    targets = from_torch(network, task="regression")
    check_outputs(targets.predict_scores(X), outputs)
    if n_in > 1:
        assert from_torch(network).classes.tolist() == list(range(n_in))


@pytest.mark.parametrize("bias", [False, True])
def test_what_evolved_predicts_the_same_in_pytorch_and_learns_there(bias):
    X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    y = np.arange(60) % 3
    result = evolve(X, y, hidden_layer_sizes=(5, 4), bias=bias, n_generations=3, random_state=0)
    there = to_torch(result)
    scores = torch.from_numpy(outputs_of(there, X))
    np.testing.assert_array_equal(scores.argmax(dim=1).numpy(), result.predict(X))
    np.testing.assert_allclose(scores.softmax(dim=1).numpy(), result.predict_proba(X), atol=1e-6)
    loss = nn.CrossEntropyLoss()
    descent = torch.optim.SGD(there.parameters(), lr=0.1)
    before = loss(scores, torch.from_numpy(y))
    for _ in range(50):
        descent.zero_grad()
        now = loss(there(torch.from_numpy(X)), torch.from_numpy(y))
        now.backward()
        descent.step()
    assert now < before
    tuned = evolve(
        X,
        y,
        hidden_layer_sizes=(5, 4),
        bias=bias,
        n_generations=2,
        random_state=0,
        start=from_torch(there),
    )
    assert tuned.best_fitness >= (from_torch(there).predict(X) == y).mean()


def test_nothing_is_shared():
    model = model_of(0, [(4, "relu", True), (2, "identity", True)])
    for W in model.weights:
        W.flags.writeable = False  # PyTorch warns of sharing such memory
    before = [W.copy() for W in model.weights]
    there = to_torch(model)
    back = from_torch(there, task="regression")
    with torch.no_grad():
        for parameter in there.parameters():
            parameter.fill_(0)
    for held, first in zip([*model.weights, *back.weights], before * 2, strict=True):
        np.testing.assert_array_equal(held, first)


def test_the_generator_of_pytorch_and_what_was_given_are_left_alone():
    network = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 2))
    before = torch.get_rng_state(), repr(network), network.training
    assert to_torch(from_torch(network)).training
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (repr(network), network.training) == before[1:]
    assert all(parameter.requires_grad for parameter in network.parameters())


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


class ReLU(nn.Module):
    """Called as PyTorch's, and another one."""


def linear(*changes):
    layer = nn.Linear(2, 2)
    for change in changes:
        change(layer)
    return layer


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ([], "must have a Linear"),
        ([nn.ReLU(), linear()], r"network\[0\], ReLU\(\) is none"),
        ([linear(), nn.ReLU(), nn.Tanh()], r"network\[2\], Tanh\(\) is none"),
        ([linear(), nn.Dropout(0.5)], r"network\[1\], Dropout\(.*leave out"),
        ([linear(), ReLU()], r"network\[1\], ReLU\(\) is none"),
        ([linear(), nn.GELU()], "GELU"),
        ([linear(), nn.Flatten()], "Flatten"),
        ([Doubled(2, 2)], "Doubled"),
        ([nn.Sequential(linear())], "Sequential"),
        ([linear(), nn.Softmax(dim=0)], r"Softmax\(dim=0\) must be over the outputs"),
        ([linear(), nn.Softmax()], r"Softmax\(dim=None\) must be over the outputs"),
        ([linear(), nn.Linear(3, 2)], "must have 2 rows"),
        ([nn.Linear(2, 1)], "an output for each class"),
        ([linear(lambda one: one.half())], "got torch.float16"),
        ([linear(lambda one: nn.init.constant_(one.bias, torch.nan))], "finite"),
        ([linear(lambda one: one.register_forward_hook(print))], "has hooks"),
        ([linear(lambda one: one.register_forward_pre_hook(print))], "has hooks"),
        ([linear(nn.utils.parametrizations.weight_norm)], "ParametrizedLinear"),
    ],
)
def test_a_sequential_that_is_no_network_here_is_refused(modules, message):
    with pytest.raises(ValueError, match=message):
        from_torch(nn.Sequential(*modules))
    from_torch(nn.Sequential(linear(), nn.Softmax(dim=-1)))


def test_what_is_no_plain_sequential_is_refused():
    class Residual(nn.Sequential):
        def forward(self, x):
            return x + super().forward(x)

    for wrong in (None, "model.pt", linear(), Residual(linear()), nn.Sequential):
        with pytest.raises(TypeError, match=r"must be a torch\.nn\.Sequential, got"):
            from_torch(wrong)
    with pytest.raises(ValueError, match="task must be one of"):
        from_torch(nn.Sequential(linear()), task="ranking")
    hooked = nn.Sequential(linear())
    hooked.register_forward_hook(print)
    with pytest.raises(ValueError, match="the network has hooks"):
        from_torch(hooked)


PLAIN = Model([np.eye(2), np.eye(2)], "relu", "identity", np.array([0, 1]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation": "step"}, "PyTorch has the activations .* got 'step'"),
        ({"output_activation": "sign"}, "got 'sign'"),
        ({"activation": np.tanh}, "got <ufunc 'tanh'>"),
        ({"columns": np.array([True, True])}, "model has columns"),
        ({"extraction": {"bins": 2}}, "model has extraction"),
    ],
)
def test_networks_that_pytorch_does_not_have_are_refused(change, message):
    to_torch(PLAIN)
    with pytest.raises(ValueError, match=message):
        to_torch(replace(PLAIN, **change))


def test_without_pytorch_the_way_to_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for door in (lambda: to_torch(PLAIN), lambda: from_torch(None)):
        with pytest.raises(ImportError, match=r"pip install 'ga-ann\[gpu\]'"):
            door()


def test_weights_of_either_precision_take_that_which_holds_both():
    weights = init_weights(np.random.default_rng(0), [2, 3, 2])
    mixed = Model([weights[0], weights[1].astype(np.float64)], "relu", "identity", None)
    assert {p.dtype for p in to_torch(mixed).parameters()} == {torch.float64}
