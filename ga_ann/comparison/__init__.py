"""Baseline, genetic algorithms and gradient descent on the same splits."""

from ga_ann.comparison.compare import Comparison, compare
from ga_ann.comparison.data_sets import DATASETS, DataSet
from ga_ann.comparison.methods import (
    GA_GENERATIONS,
    GA_PATIENCE,
    METHODS,
    METHODS_OF,
    REGRESSION_METHODS,
    Job,
    Method,
    Trained,
    ga_method,
)
from ga_ann.comparison.mistakes import Mistake, Tested, rank_errors, rank_wrong
from ga_ann.comparison.presentation import (
    WHY_NAIVE_FAILS,
    caption,
    explain_split,
    legend_label,
    print_comparison,
)
from ga_ann.comparison.report import check_folder, write_report
from ga_ann.comparison.splits import SPLITS, Split
from ga_ann.comparison.summary import ENOUGH_SEEDS, MIN_SEEDS, paired_differences, summarise

__all__ = [
    "DATASETS",
    "ENOUGH_SEEDS",
    "GA_GENERATIONS",
    "GA_PATIENCE",
    "METHODS",
    "METHODS_OF",
    "MIN_SEEDS",
    "REGRESSION_METHODS",
    "SPLITS",
    "WHY_NAIVE_FAILS",
    "Comparison",
    "DataSet",
    "Job",
    "Method",
    "Mistake",
    "Split",
    "Tested",
    "Trained",
    "caption",
    "check_folder",
    "compare",
    "explain_split",
    "ga_method",
    "legend_label",
    "paired_differences",
    "print_comparison",
    "rank_errors",
    "rank_wrong",
    "summarise",
    "write_report",
]
