"""The public names, and where each is at home; `__init__.py` imports them when they are used.

In some orders of the modules mypy takes `compare` for the module of that name, hence the ignore.
"""

from .animation import Snapshots as Snapshots
from .animation import animate as animate
from .animation import save_animation as save_animation
from .baseline import train_naive as train_naive
from .callbacks import Callback as Callback
from .callbacks import Checkpoint as Checkpoint
from .callbacks import EarlyStopping as EarlyStopping
from .callbacks import WeightMovement as WeightMovement
from .chromosome import flatten as flatten
from .chromosome import reshape as reshape
from .comparison import compare as compare  # type: ignore[no-redef, unused-ignore]
from .datasets import HueHistogram as HueHistogram
from .datasets import extract_features as extract_features
from .datasets import hue_histogram as hue_histogram
from .datasets import load_features as load_features
from .datasets import load_fruits360 as load_fruits360
from .datasets import select_by_std as select_by_std
from .doors import from_pygad as from_pygad
from .doors import from_sklearn as from_sklearn
from .doors import from_torch as from_torch
from .doors import to_c_header as to_c_header
from .doors import to_onnx as to_onnx
from .doors import to_pygad as to_pygad
from .doors import to_sklearn as to_sklearn
from .doors import to_torch as to_torch
from .estimator import GeneticMLPClassifier as GeneticMLPClassifier
from .estimator import GeneticMLPRegressor as GeneticMLPRegressor
from .evolution import RECIPES as RECIPES
from .evolution import EvolutionResult as EvolutionResult
from .evolution import NetworkGA as NetworkGA
from .evolution import Recipe as Recipe
from .evolution import evolve as evolve
from .history import History as History
from .inspection import plot_hue_weights as plot_hue_weights
from .inspection import plot_population as plot_population
from .loggers import LogFile as LogFile
from .loggers import MLflowLogger as MLflowLogger
from .loggers import TensorBoardLogger as TensorBoardLogger
from .network import ACTIVATIONS as ACTIVATIONS
from .network import forward as forward
from .network import init_weights as init_weights
from .network import layer_shapes as layer_shapes
from .network import predict as predict
from .onnx_pipelines import register_onnx_converters as register_onnx_converters
from .out_of_core import StoredSamples as StoredSamples
from .out_of_core import open_samples as open_samples
from .plotting import plot_comparison as plot_comparison
from .plotting import plot_confusion as plot_confusion
from .plotting import plot_fitness as plot_fitness
from .plotting import plot_predictions as plot_predictions
from .progress import ProgressBar as ProgressBar
from .report import save_report as save_report
from .result import TrainingResult as TrainingResult
from .state import State as State
from .storage import Model as Model
from .storage import load as load
from .storage import load_checkpoint as load_checkpoint
from .storage import load_history as load_history
from .storage import load_model as load_model
from .storage import save_history as save_history
from .storage import save_model as save_model

__version__: str
