"""Fingerprints: equal for the same data and functions in any process, other for any others."""

import functools
import os
import subprocess
import sys
from collections import OrderedDict, defaultdict, deque
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array, csr_matrix

from ga_ann.storage.fingerprint import Fingerprints, fingerprint, fingerprint_function

ROOT = Path(__file__).parents[2]

# ---------------------------------------------------------------- arrays

ARRAYS = [
    None,
    np.zeros(4),
    np.zeros(4, dtype=np.float32),
    np.zeros(8, dtype=np.float32),
    np.zeros((2, 2)),
    np.zeros((1, 4)),
    np.array([0.0, 0.0, 0.0, -0.0]),
    np.zeros(4, dtype=int),
    np.zeros(0),
    np.array(["a", "b"]),
    np.array(["a", "b"], dtype="<U2"),
    np.array(["a", "b"], dtype=object),
    np.array(["a", "c"], dtype=object),
]


def test_different_arrays_have_different_fingerprints():
    assert len({fingerprint(array) for array in ARRAYS}) == len(ARRAYS)
    assert fingerprint(None) == "none"


def test_equal_arrays_have_equal_fingerprints_whatever_their_layout():
    array = np.arange(12.0).reshape(3, 4)
    layouts = (array.copy(), np.asfortranarray(array), np.repeat(array, 2, axis=1)[:, ::2])
    assert {fingerprint(layout) for layout in layouts} == {fingerprint(array)}
    read_only = array.copy()
    read_only.setflags(write=False)
    assert fingerprint(read_only) == fingerprint(array)


def test_sparse_arrays_are_known_by_all_their_numbers_and_places():
    array = csr_array(np.array([[0.0, 1.0, 0.0], [2.0, 0.0, 3.0]]))
    same = array.copy()
    same.indices, same.indptr = array.indices.astype(np.int64), array.indptr.astype(np.int64)
    assert fingerprint(same) == fingerprint(array) == fingerprint(csr_matrix(array))
    wider = csr_array((array.data, array.indices, array.indptr), shape=(2, 4))
    others = [array, wider, array.astype(np.float32), array.toarray(), csr_array(array.shape)]
    others += [csr_array(np.array(rows)) for rows in ([[1.0, 0, 0], [2, 0, 3]], [[0, 1.0], [2, 3]])]
    others += [csr_array(np.array([[0.0, 1, 2], [0, 0, 3]])), -array, array[::-1]]
    assert len({fingerprint(other) for other in others}) == len(others)


def test_arrays_are_looked_at_late_and_functions_at_once():
    """A call may change what a function holds; large data may never be asked for."""
    array, memory = np.zeros(3), {"calls": 0}

    def function():
        return memory["calls"]

    held = Fingerprints({"X": array, "w": None}, {"fitness": function})
    before = fingerprint_function(function)
    array[0], memory["calls"] = 1, 1
    assert dict(held) == {"X": fingerprint(array), "w": "none", "fitness": before}
    assert len(held) == 3
    assert fingerprint_function(function) != before


# ---------------------------------------------------------------- functions

MODULE = """
import functools
from types import MappingProxyType
from typing import NamedTuple
import numpy as np
import settings
from sklearn.metrics import f1_score, fbeta_score, make_scorer
from ga_ann.fitness import fbeta, neg_cost

FACTOR = {factor}

def helper(x):
    return x {sign} 1

def closure(beta):
    def score(y, p):
        return beta * np.mean(y == p)
    return score

def nested(beta):
    inner = closure(beta)
    return lambda y, p: inner(y, p)

def default(y, p, beta={default}):
    return beta

def keyword(y, p, *, beta={default}):
    return beta

def of_global(y, p):
    return FACTOR

def of_global_within(y, p):
    return [FACTOR for _ in range(2)]

def of_helper(y, p):
    return helper(1)

def constant(y, p):
    return {default}

def of_set(y, p):
    return y in {{"a", "b", "c", "{word}"}}

class Scorer:
    def __init__(self, beta):
        self.beta = beta
    def __call__(self, y, p):
        return self.beta
    def method(self, y, p):
        return self.beta

class Slotted:
    __slots__ = ("beta",)
    def __init__(self, beta):
        self.beta = beta
    def __call__(self, y, p):
        return self.beta

class Behaviour:
    def __call__(self, y, p):
        return {default}

class Inherits(Behaviour):
    pass

def of_attribute(y, p):
    return of_attribute.beta

of_attribute.beta = {default}

class Costs(dict):
    def __call__(self, y, p):
        return {default}

class Weight(float):
    def __call__(self, y, p):
        return {default}

class Pair(NamedTuple):
    beta: float
    def __call__(self, y, p):
        return {default}

def of_own_module(y, p):
    return settings.BETA + settings.double(1)

def make(beta):
    costs = {{0: beta}}
    return {{
        "method of a dictionary": costs.get,
        "read-only mapping": (lambda b: lambda y, p: b)(MappingProxyType(costs)),
        "objects in an array": (lambda b: lambda y, p: b)(np.array([[beta], "a"], dtype=object)),
        "named tuple": Pair(beta),
        "closure": closure(beta),
        "closure in a closure": nested(beta),
        "closure over an array": closure(np.arange(5000.0) * beta),
        "lambda": (lambda b: lambda y, p: b)(beta),
        "partial": functools.partial(fbeta_score, beta=beta, average="macro"),
        "partial of a partial": functools.partial(functools.partial(default, beta=beta), 1),
        "object": Scorer(beta),
        "object with slots": Slotted(beta),
        "bound method": Scorer(beta).method,
        "scorer": make_scorer(fbeta_score, beta=beta, average="macro"),
        "fbeta": fbeta(beta),
        "neg_cost": neg_cost([[0, beta], [1, 0]]),
    }}

FIXED = {{
    "default": default, "keyword": keyword, "global": of_global, "helper": of_helper,
    "global within": of_global_within, "constant": constant, "set": of_set,
    "behaviour": Behaviour(), "inherits": Inherits(), "attribute": of_attribute,
    "subclass of dict": Costs(a=1), "subclass of float": Weight(1), "own module": of_own_module,
}}
"""
FILLED = {"factor": 2, "sign": "+", "default": 1.5, "word": "d"}
SAME = "import user; made = user.make(2.0) | user.FIXED"
PRINT = """
from ga_ann.storage.fingerprint import fingerprint_function
for name, function in made.items():
    print(name, fingerprint_function(function), sep=": ")
"""


def in_a_process(folder, code=SAME, seed="0", **changes):
    """Return the fingerprints of the user's functions as another Python has them."""
    folder.mkdir(exist_ok=True)
    (folder / "settings.py").write_text(
        f"BETA = {changes.pop('beta', 1)}\ndef double(x):\n    return {changes.pop('two', 2)} * x\n"
    )
    (folder / "user.py").write_text(MODULE.format(**FILLED | changes))
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}",
        "PYTHONHASHSEED": seed,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code + PRINT],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split(": ") for line in done.stdout.splitlines())


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return in_a_process(tmp_path_factory.mktemp("first"))


def test_the_same_functions_are_the_same_in_any_process(first, tmp_path):
    assert len(first) == len(set(first.values())) == 29
    shifted = "import decimal, fractions; x = [object() for _ in range(9999)]; " + SAME
    assert in_a_process(tmp_path, shifted, seed="12345") == first


def test_another_hidden_value_is_another_function(first, tmp_path):
    other = in_a_process(tmp_path, "import user; made = user.make(3.0)")
    assert {name for name in other if other[name] == first[name]} == set()


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({"factor": 3}, {"global", "global within"}),
        ({"sign": "-"}, {"helper"}),
        (
            {"default": 2.5},
            {"default", "keyword", "constant", "behaviour", "partial of a partial", "inherits"}
            | {"attribute", "subclass of dict", "subclass of float", "named tuple"},
        ),
        ({"word": "e"}, {"set"}),
        ({"beta": 2}, {"own module"}),
        ({"two": 3}, {"own module"}),
    ],
    ids=["factor", "sign", "default", "word", "beta", "two"],
)
def test_what_a_function_uses_of_its_module_is_a_part_of_it(first, tmp_path, changes, changed):
    other = in_a_process(tmp_path, **changes)
    assert {name for name in other if other[name] != first[name]} == changed


def make_score(beta):
    def score(y, p):
        return beta

    return score


def with_attribute(beta):
    score = make_score(0)
    score.beta = beta
    return score


def of_class(beta, kind):
    """Return an object whose behaviour is that of its class's base."""

    class Base(kind):
        def __call__(self, y, p):
            return beta

    class Derived(Base):
        pass

    return Derived()


@pytest.mark.parametrize(
    "make",
    [
        make_score,
        lambda beta: functools.partial(make_score, beta),
        lambda beta: functools.partial(make_score, beta=beta),
        lambda beta: lambda y, p, b=beta: b,
        lambda beta: lambda y, p, *, b=beta: b,
        lambda beta: make_score({"beta": [beta]}),
        lambda beta: make_score(np.array([beta])),
        lambda beta: make_score((0, (beta,))),
        lambda beta: make_score(make_score(beta)),
        lambda beta: make_score({beta, 77}),
        lambda beta: make_score({0: beta}.get),
        lambda beta: make_score(MappingProxyType({0: beta})),
        lambda beta: make_score(defaultdict(make_score(beta))),
        lambda beta: make_score(OrderedDict(beta=beta)),
        lambda beta: make_score(deque([beta])),
        lambda beta: make_score(np.array([beta, "a"], dtype=object)),
        lambda beta: make_score(np.array([[beta], "a"], dtype=object)),
        lambda beta: make_score(pd.Series([beta, "a"], dtype=object)),
        lambda beta: with_attribute(beta),
        lambda beta: of_class(beta, object),
        lambda beta: of_class(beta, dict),
        lambda beta: of_class(beta, list),
        lambda beta: of_class(beta, int),
        lambda beta: of_class(beta, NamedTuple("Point", [])),
    ],
)
def test_functions_made_anew_are_the_same_and_with_another_value_others(make):
    values = [1, 5, 1.0, True, "1", None, -1]
    sums = [fingerprint_function(make(value)) for value in values]
    assert sums == [fingerprint_function(make(value)) for value in values]
    assert len(set(sums)) == len(values)


def test_arguments_of_other_names_or_kinds_make_another_function():
    scores = (
        lambda y, p, w=None, v=None: w,
        lambda y, p, v=None, w=None: v,
        lambda y, p: p,
        lambda y, *p: p,
    )
    assert len({fingerprint_function(score) for score in scores}) == len(scores)


def test_modules_of_the_users_that_name_each_other_have_an_end(monkeypatch):
    one, two = ModuleType("one"), ModuleType("two")
    for module in (one, two):
        module.__file__, module.one, module.two, module.beta = "here.py", one, two, 1
        monkeypatch.setitem(sys.modules, module.__name__, module)
    function = eval("lambda y, p: one.two.one.beta", {"one": one})
    before = fingerprint_function(function)
    two.beta = 2
    assert fingerprint_function(function) != before


def test_a_function_that_holds_itself_has_an_end():
    def again(n):
        return again(n - 1) if n else 0

    loop = []
    loop.append(loop)
    assert fingerprint_function(again) == fingerprint_function(again)
    assert fingerprint_function(make_score(loop)) == fingerprint_function(make_score(loop))


def test_what_cannot_be_copied_is_no_obstacle(tmp_path):
    with (tmp_path / "log").open("w") as file:
        function = make_score(file)
        assert fingerprint_function(function) == fingerprint_function(function)
