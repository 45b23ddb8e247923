"""Baseline, genetic algorithm and gradient descent on the same splits."""

from ga_ann.comparison.compare import DATASETS, SPLITS, Comparison, DataSet, Split, compare
from ga_ann.comparison.methods import METHODS
from ga_ann.comparison.report import check_folder, write_report
from ga_ann.comparison.summary import ENOUGH_SEEDS, MIN_SEEDS, paired_differences, summarise

__all__ = [
    "DATASETS",
    "ENOUGH_SEEDS",
    "METHODS",
    "MIN_SEEDS",
    "SPLITS",
    "Comparison",
    "DataSet",
    "Split",
    "check_folder",
    "compare",
    "paired_differences",
    "summarise",
    "write_report",
]
