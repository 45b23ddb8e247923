"""Tables: held-out scores of `ga-ann train`, `compare` and scikit-learn on the same splits."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, r2_score
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


def reference(task: str, seed: int) -> Any:
    """Return scikit-learn's network after scikit-learn's transformers."""
    network = MLPRegressor if task == "regression" else MLPClassifier
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


def measure(*, quick: bool = False, seeds: int = 5) -> list[dict[str, Any]]:
    """Return a row a table: medians over the seeds of accuracies in %, or of 100 R2."""
    rows = []
    for name, (X, y) in tables().items():
        task = "regression" if name == "diabetes" else "classification"
        score = r2_score if task == "regression" else accuracy_score
        compared = compare(
            data=DataSet.of_arrays(name, X, np.asarray(y)),
            task=task,
            methods=["ga"],
            seeds=1 if quick else seeds,
            random_state=FIRST_SEED,
        )
        found: dict[str, list[float]] = {"train": [], "compare": [], "scikit-learn": []}
        found["compare"] = [row["held_out_score"] for row in compared.rows]
        for seed, split in enumerate(compared.splits.values()):
            X_train, X_test = X.iloc[split.train], X.iloc[split.test]
            y_train, y_test = y[split.train], y[split.test]
            found["train"].append(score(y_test, train(X_train, y_train, X_test, seed, task)))
            network = reference(task, seed).fit(X_train, y_train)
            found["scikit-learn"].append(score(y_test, network.predict(X_test)))
        medians = {k: 100 * float(np.median(v)) for k, v in found.items()}
        rows.append({"table": name, "rows": len(X), "columns": X.shape[1], **medians})
        print(rows[-1], flush=True)
    return rows
