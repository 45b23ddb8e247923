"""Files written whole and read with suspicion: archives, models, checkpoints."""

from ga_ann.storage.checkpoint import Snapshot, load_checkpoint, save_checkpoint
from ga_ann.storage.environment import package_versions
from ga_ann.storage.files import (
    array_from_bytes,
    check_writable,
    clear_unfinished,
    named_errors,
    parse_npy,
    read_npz,
    replacing,
)
from ga_ann.storage.info import describe_file
from ga_ann.storage.model import Model, load_history, load_model, save_history, save_model

__all__ = [
    "Model",
    "Snapshot",
    "array_from_bytes",
    "check_writable",
    "clear_unfinished",
    "describe_file",
    "load_checkpoint",
    "load_history",
    "load_model",
    "named_errors",
    "package_versions",
    "parse_npy",
    "read_npz",
    "replacing",
    "save_checkpoint",
    "save_history",
    "save_model",
]
