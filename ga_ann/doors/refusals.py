"""What other tools do not have, refused before any work and in the same words by each door."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ga_ann.network import AnyActivation, pair_layers
from ga_ann.storage import Model

__all__ = ["layer_activations", "named_activations", "refuse_columns", "refuse_pictures"]


def layer_activations(model: Model) -> list[AnyActivation]:
    """Return the activation of each layer, that of the outputs included.

    Examples
    --------
    >>> import numpy as np
    >>> layer_activations(Model([np.eye(2)] * 3, "tanh", "identity", None))
    ['tanh', 'tanh', 'identity']
    """
    given: Any = model.activation
    n_hidden = len(pair_layers(model.weights)) - 1
    hidden = list(given) if isinstance(given, tuple | list) else [given] * n_hidden
    return [*hidden, model.output_activation]


def named_activations(model: Model, known: Collection[str], what: str) -> list[str]:
    """Return the activation of each layer, all of them `known` ones.

    Raises
    ------
    ValueError
        If there is another; the message says which ones `what` has.
    """
    found = layer_activations(model)
    named = [one for one in found if isinstance(one, str) and one in known]
    if named != found:
        unknown = next(one for one in found if not isinstance(one, str) or one not in known)
        raise ValueError(f"{what} has the activations {sorted(known)}, got {unknown!r}.")
    return named


def refuse_columns(model: Model, whose: str) -> None:
    """Refuse a model that has more than its network.

    Raises
    ------
    ValueError
        If it has; the message names what, and the way to the network alone.
    """
    for name in ("extraction", "preprocessing", "columns"):
        if getattr(model, name) is not None:
            raise ValueError(
                f"the model has {name}, which come before the network and which {whose} do not "
                "have; compute them before it, and give the network alone: "
                f"dataclasses.replace(model, {name}=None)."
            )


def refuse_pictures(model: Model, what: str) -> None:
    """Refuse a model whose features are computed from pictures.

    Raises
    ------
    ValueError
        If they are.
    """
    if model.extraction is not None:
        raise ValueError(
            f"the network's features are computed from pictures, which {what} does not do; for "
            "one that takes the features, give dataclasses.replace(model, extraction=None)."
        )
