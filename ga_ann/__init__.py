"""Train plain NumPy neural networks with a genetic algorithm."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ga_ann.baseline import train_naive
    from ga_ann.callbacks import Callback, Checkpoint, EarlyStopping, ProgressBar
    from ga_ann.chromosome import flatten, reshape
    from ga_ann.comparison.compare import compare
    from ga_ann.datasets.tables import (
        HueHistogram,
        extract_features,
        hue_histogram,
        load_features,
        load_fruits360,
        select_by_std,
    )
    from ga_ann.estimator import GeneticMLPClassifier, GeneticMLPRegressor
    from ga_ann.evolution import RECIPES, EvolutionResult, NetworkGA, Recipe, evolve
    from ga_ann.history import History, TrainingResult
    from ga_ann.network import ACTIVATIONS, forward, init_weights, layer_shapes, predict
    from ga_ann.plotting import plot_comparison, plot_confusion, plot_fitness
    from ga_ann.state import State
    from ga_ann.storage.checkpoint import load_checkpoint
    from ga_ann.storage.model import Model, load_history, load_model, save_history, save_model

__version__ = "0.1.0"

__all__ = [
    "ACTIVATIONS",
    "RECIPES",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "EvolutionResult",
    "GeneticMLPClassifier",
    "GeneticMLPRegressor",
    "History",
    "HueHistogram",
    "Model",
    "NetworkGA",
    "ProgressBar",
    "Recipe",
    "State",
    "TrainingResult",
    "compare",
    "evolve",
    "extract_features",
    "flatten",
    "forward",
    "hue_histogram",
    "init_weights",
    "layer_shapes",
    "load_checkpoint",
    "load_features",
    "load_fruits360",
    "load_history",
    "load_model",
    "plot_comparison",
    "plot_confusion",
    "plot_fitness",
    "predict",
    "reshape",
    "save_history",
    "save_model",
    "select_by_std",
    "train_naive",
]

_MODULES = {
    "baseline": ["train_naive"],
    "callbacks": ["Callback", "Checkpoint", "EarlyStopping", "ProgressBar"],
    "state": ["State"],
    "storage.checkpoint": ["load_checkpoint"],
    "chromosome": ["flatten", "reshape"],
    "comparison.compare": ["compare"],
    "datasets.tables": [
        "HueHistogram",
        "extract_features",
        "hue_histogram",
        "load_features",
        "load_fruits360",
        "select_by_std",
    ],
    "estimator": ["GeneticMLPClassifier", "GeneticMLPRegressor"],
    "evolution": ["RECIPES", "EvolutionResult", "NetworkGA", "Recipe", "evolve"],
    "history": ["History", "TrainingResult"],
    "storage.model": ["Model", "load_history", "load_model", "save_history", "save_model"],
    "network": ["ACTIVATIONS", "forward", "init_weights", "layer_shapes", "predict"],
    "plotting": ["plot_comparison", "plot_confusion", "plot_fitness"],
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: all of them together take seconds (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'ga_ann' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"ga_ann.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
