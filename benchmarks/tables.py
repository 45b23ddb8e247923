"""Tables: held-out scores of `ga-ann train`, `compare` and scikit-learn on the same splits."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.data_sets import FIRST_SEED
from ga_ann import evolve
from ga_ann.comparison import GA_GENERATIONS, GA_PATIENCE, DataSet, compare
from ga_ann.datasets import fit_inputs

HIDDEN = (32,)


def mixed(n: int = 600) -> tuple[pd.DataFrame, pd.Series]:
    """Return a table with text, booleans and missing cells."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "city": rng.choice(["Kyiv", "Oslo", "Rome"], n),
            "income": 1e4 * rng.lognormal(size=n),
            "age": rng.integers(18, 90, n),
            "member": rng.random(n) < 0.5,
        }
    )
    buys = (X["city"] == "Rome") ^ (X["age"] > 50) | (X["income"] > 3e4) & X["member"]
    for name in ("city", "income"):
        X.loc[rng.random(n) < 0.1, name] = None
    return X, buys.map({True: "buys", False: "leaves"})


def tables() -> dict[str, tuple[pd.DataFrame, pd.Series]]:
    """Return features and labels by name."""
    kept = ("iris", "wine", "breast_cancer", "digits", "diabetes")
    loaded = {name: getattr(datasets, f"load_{name}")(as_frame=True) for name in kept}
    return {name: (b.data, b.target) for name, b in loaded.items()} | {"mixed": mixed()}


def reference(is_regression: bool, seed: int) -> Any:
    """Return scikit-learn's network after scikit-learn's transformers."""
    network = MLPRegressor if is_regression else MLPClassifier
    return make_pipeline(
        make_column_transformer(
            (
                make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
                make_column_selector(dtype_include="number"),
            ),
            (
                OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                make_column_selector(dtype_exclude="number"),
            ),
        ),
        network(hidden_layer_sizes=HIDDEN, max_iter=1000, random_state=seed),
    )


def train(X: Any, y: Any, X_test: Any, seed: int, task: str) -> Any:
    """Return the predictions of a network trained as the command line does."""
    inputs = fit_inputs(X, standardise=True)
    result = evolve(
        inputs.transform(X),
        np.asarray(y),
        task=task,
        hidden_layer_sizes=HIDDEN,
        bias=True,
        target_fitness=None,
        n_generations=GA_GENERATIONS,
        n_iter_no_change=GA_PATIENCE,
        random_state=seed,
    )
    return result.predict(inputs.transform(X_test))


def splits(X: Any, y: Any, seeds: int, *, is_regression: bool) -> tuple[list[Any], list[float]]:
    """Return indices to train and to test on, those of `compare` and its scores for classes."""
    if is_regression:  # which `compare` does not know
        numbers = range(FIRST_SEED, FIRST_SEED + seeds)
        rows = np.arange(len(X))
        return [train_test_split(rows, test_size=0.25, random_state=k) for k in numbers], []
    known = DataSet.of_arrays("table", X, np.asarray(y))
    compared = compare(data=known, methods=["ga"], seeds=seeds, random_state=FIRST_SEED)
    parts = [(split.train, split.test) for split in compared.splits.values()]
    return parts, [row["held_out_accuracy"] for row in compared.rows]


def measure(*, quick: bool = False, seeds: int = 5) -> list[dict[str, Any]]:
    """Return a row a table: medians over the seeds of accuracies in %, or of 100 R2."""
    rows = []
    for name, (X, y) in tables().items():
        is_regression = name == "diabetes"
        score = r2_score if is_regression else accuracy_score
        parts, compared = splits(X, y, 1 if quick else seeds, is_regression=is_regression)
        found: dict[str, list[float]] = {"train": [], "compare": compared, "scikit-learn": []}
        for seed, (first, second) in enumerate(parts):
            X_train, X_test, y_train, y_test = X.iloc[first], X.iloc[second], y[first], y[second]
            task = "regression" if is_regression else "classification"
            found["train"].append(score(y_test, train(X_train, y_train, X_test, seed, task)))
            network = reference(is_regression, seed).fit(X_train, y_train)
            found["scikit-learn"].append(score(y_test, network.predict(X_test)))
        medians = {k: 100 * float(np.median(v)) if v else float("nan") for k, v in found.items()}
        rows.append({"table": name, "rows": len(X), "columns": X.shape[1], **medians})
        print(rows[-1], flush=True)
    return rows
