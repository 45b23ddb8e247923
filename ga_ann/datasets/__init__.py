"""Feature tables: the shipped one, hue histograms of pictures, and the user's own files."""

from ga_ann.datasets.tables import (
    FORMATS,
    FeatureTable,
    HueHistogram,
    extract_features,
    hue_histogram,
    list_flat,
    list_pictures,
    load_features,
    load_fruits360,
    load_samples,
    load_table,
    save_table,
    select_by_std,
    shipped_table,
)

__all__ = [
    "FORMATS",
    "FeatureTable",
    "HueHistogram",
    "extract_features",
    "hue_histogram",
    "list_flat",
    "list_pictures",
    "load_features",
    "load_fruits360",
    "load_samples",
    "load_table",
    "save_table",
    "select_by_std",
    "shipped_table",
]
