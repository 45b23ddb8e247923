"""Files written whole and read with suspicion: archives, models, checkpoints."""

from ga_ann.storage.archive import read_kind
from ga_ann.storage.checkpoint import (
    as_generator_state,
    describe_difference,
    load_checkpoint,
    save_checkpoint,
    using_state,
    versions,
)
from ga_ann.storage.files import check_target, clear_unfinished, naming, replacing
from ga_ann.storage.fingerprint import Fingerprints
from ga_ann.storage.info import describe_file
from ga_ann.storage.model import Model, load_history, load_model, save_history, save_model

__all__ = [
    "Fingerprints",
    "Model",
    "as_generator_state",
    "check_target",
    "clear_unfinished",
    "describe_difference",
    "describe_file",
    "load_checkpoint",
    "load_history",
    "load_model",
    "naming",
    "read_kind",
    "replacing",
    "save_checkpoint",
    "save_history",
    "save_model",
    "using_state",
    "versions",
]
