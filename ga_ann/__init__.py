"""Train plain NumPy neural networks with a genetic algorithm."""

from ga_ann.baseline import train_naive
from ga_ann.checkpoint import Model, load_history, load_model, save_history, save_model
from ga_ann.chromosome import flatten, reshape
from ga_ann.comparison import compare
from ga_ann.datasets import (
    HueHistogram,
    extract_features,
    hue_histogram,
    load_features,
    load_fruits360,
    select_by_std,
)
from ga_ann.evolution import EvolutionResult, NetworkGA, evolve
from ga_ann.history import History, TrainingResult
from ga_ann.network import ACTIVATIONS, forward, init_weights, layer_shapes, predict
from ga_ann.plotting import plot_comparison, plot_confusion, plot_fitness

__version__ = "0.1.0"

__all__ = [
    "ACTIVATIONS",
    "EvolutionResult",
    "History",
    "HueHistogram",
    "Model",
    "NetworkGA",
    "TrainingResult",
    "compare",
    "evolve",
    "extract_features",
    "flatten",
    "forward",
    "hue_histogram",
    "init_weights",
    "layer_shapes",
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
