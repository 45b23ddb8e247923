"""Feature tables: the shipped one, hue histograms of pictures, and the user's own files."""

from ga_ann.datasets.feature_table import FeatureTable, extract_features, load_table, save_table
from ga_ann.datasets.frames import FRAME_SUFFIXES, LONGEST_LABEL, STDIN
from ga_ann.datasets.fruits import load_fruits360, shipped_table
from ga_ann.datasets.hue import HueHistogram, check_histogram, hue_histogram
from ga_ann.datasets.inputs import Inputs, fit_inputs, take_rows
from ga_ann.datasets.pictures import FORMATS, list_flat, list_pictures, read_picture
from ga_ann.datasets.samples import (
    FRUITS,
    Samples,
    holds_samples,
    load_pictures,
    load_samples,
    locate,
)
from ga_ann.datasets.selection import select_by_std
from ga_ann.datasets.tables import load_features, load_frame, load_unlabelled

__all__ = [
    "FORMATS",
    "FRAME_SUFFIXES",
    "FRUITS",
    "LONGEST_LABEL",
    "STDIN",
    "FeatureTable",
    "HueHistogram",
    "Inputs",
    "Samples",
    "check_histogram",
    "extract_features",
    "fit_inputs",
    "holds_samples",
    "hue_histogram",
    "list_flat",
    "list_pictures",
    "load_features",
    "load_frame",
    "load_fruits360",
    "load_pictures",
    "load_samples",
    "load_table",
    "load_unlabelled",
    "locate",
    "read_picture",
    "save_table",
    "select_by_std",
    "shipped_table",
    "take_rows",
]
