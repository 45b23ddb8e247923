"""Files written whole and read with suspicion: archives, models, checkpoints."""

from ga_ann.storage.archive import read_kind
from ga_ann.storage.checkpoint import (
    as_generator_state,
    describe_difference,
    has_behind_it,
    load_checkpoint,
    numeric_versions,
    save_checkpoint,
    using_state,
)
from ga_ann.storage.environment import package_versions
from ga_ann.storage.files import (
    array_from_bytes,
    check_writable,
    check_zip_sizes,
    clear_unfinished,
    named_errors,
    parse_npy,
    read_npz,
    replacing,
)
from ga_ann.storage.fingerprint import Fingerprints
from ga_ann.storage.info import describe_file
from ga_ann.storage.model import (
    Model,
    load,
    load_history,
    load_model,
    save_history,
    save_model,
)

__all__ = [
    "Fingerprints",
    "Model",
    "array_from_bytes",
    "as_generator_state",
    "check_writable",
    "check_zip_sizes",
    "clear_unfinished",
    "describe_difference",
    "describe_file",
    "has_behind_it",
    "load",
    "load_checkpoint",
    "load_history",
    "load_model",
    "named_errors",
    "numeric_versions",
    "package_versions",
    "parse_npy",
    "read_kind",
    "read_npz",
    "replacing",
    "save_checkpoint",
    "save_history",
    "save_model",
    "using_state",
]
