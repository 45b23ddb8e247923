"""Activations in files: by their names, and a function of the user's with a sample of its answers.

No file holds a function. It holds its name, and what it answered on `POINTS`, by which another
function of the same name is told from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ga_ann.parts import MARK, POINTS, in_place, marked, name_of

__all__ = ["ANSWERS", "pack_activations", "unpack_activations"]

ANSWERS = "activation_answers"
"""Name of the array of the answers: a row for each function, in the order of their names."""


def pack_activations(
    activation: Any, output_activation: Any
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the header's entries for a network's activations, and the arrays that go with them.

    Raises
    ------
    ValueError
        If two different functions have one name.
    """
    hidden = list(activation) if isinstance(activation, tuple | list) else [activation]
    functions: dict[str, Callable[..., Any]] = {}
    for function in filter(callable, [*hidden, output_activation]):
        if functions.setdefault(name_of(function), function) is not function:
            raise ValueError(
                "activations of different names can be told apart in a file, got two functions of "
                f"the name {name_of(function)!r}; give them names of their own."
            )
    header = {"activation": marked(activation), "output_activation": marked(output_activation)}
    if not functions:
        return header, {}
    return header, {ANSWERS: np.stack([_answers(functions[name]) for name in sorted(functions)])}


def unpack_activations(
    header: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    given: Mapping[str, Callable[..., Any]] | None,
) -> tuple[Any, Any]:
    """Return a network's activations from an archive.

    Parameters
    ----------
    header, arrays : mapping
        Of the archive.
    given : mapping of str to callable, or None
        The functions by their names; None to look at the file without them: each is then replaced
        by ``"identity"``.

    Raises
    ------
    ValueError
        If an entry is no name, or a function is missing or answers otherwise than the one that was
        saved.
    """
    hidden, output = header.get("activation"), header.get("output_activation")
    names = [*(hidden if isinstance(hidden, list) else [hidden]), output]
    if not all(isinstance(name, str) for name in names):
        raise ValueError(
            "'activation' and 'output_activation' in its header must be names, got "
            f"{hidden!r} and {output!r}"
        )
    custom = sorted({name.removeprefix(MARK) for name in names if name.startswith(MARK)})
    functions: dict[str, Any] = dict.fromkeys(custom, "identity")
    if given is not None and custom:
        _check_given(custom, arrays.get(ANSWERS), given)
        functions = {name: given[name] for name in custom}
    *found, last = [
        functions[name.removeprefix(MARK)] if name.startswith(MARK) else name for name in names
    ]
    return (tuple(found) if isinstance(hidden, list) else found[0]), last


def _check_given(
    custom: list[str], answers: NDArray[Any] | None, given: Mapping[str, Callable[..., Any]]
) -> None:
    if missing := [name for name in custom if not callable(given.get(name))]:
        wanted = ", ".join(f"{name!r}: ..." for name in missing)
        raise ValueError(
            f"its network has custom activations, of which it holds the names alone; give the "
            f"functions, load_model(path, activations={{{wanted}}})"
        )
    shape = (len(custom), len(POINTS))
    if answers is None or answers.shape != shape or answers.dtype != np.float64:
        raise ValueError("the answers of its custom activations are missing or wrong")
    for name, saved in zip(custom, answers, strict=True):
        if not np.allclose(_answers(given[name]), saved, rtol=1e-6, atol=1e-9, equal_nan=True):
            raise ValueError(
                f"activations[{name!r}] answers otherwise than the function that was saved"
            )


@np.errstate(all="ignore")
def _answers(function: Callable[..., Any]) -> NDArray[np.float64]:
    Z: NDArray[np.float64] = POINTS.copy()
    in_place(function)(Z, 0)
    return Z
