"""Fine-tuning what gradient descent trained
=========================================

By the score that counts, on imbalanced classes.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from ga_ann import GeneticMLPClassifier

SEEDS = 5
SIZES = (16,)
tables: dict[str, list[float]] = {
    "gradient descent": [],
    "the same, probabilities divided by the classes' shares": [],
    "evolved from nothing, 100 generations": [],
    "gradient descent, then evolved for 100 generations": [],
}

# %%
# Five data sets; of each, a quarter is held out.
for seed in range(SEEDS):
    X, y = make_classification(
        n_samples=4000, n_informative=6, weights=[0.93, 0.05, 0.02], n_classes=3, random_state=seed
    )
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=seed)
    trained = MLPClassifier(SIZES, early_stopping=True, max_iter=1000, random_state=seed)
    trained.fit(X_train, y_train)

    options = {"fitness": "balanced_accuracy", "n_generations": 100, "random_state": seed}
    evolved = GeneticMLPClassifier(SIZES, **options).fit(X_train, y_train)
    tuned = GeneticMLPClassifier(SIZES, **options, start_from=trained).fit(X_train, y_train)

    shares = np.bincount(y_train) / len(y_train)
    answers = (
        trained.predict(X_test),
        (trained.predict_proba(X_test) / shares).argmax(axis=1),
        evolved.predict(X_test),
        tuned.predict(X_test),
    )
    for scores, answer in zip(tables.values(), answers, strict=True):
        scores.append(float(balanced_accuracy_score(y_test, answer)))

# %%
# What came of it.
print(f"held-out balanced accuracy, mean and range of {SEEDS} data sets")
for name, scores in tables.items():
    print(f"{name:>55}: {np.mean(scores):.3f} ({min(scores):.3f} to {max(scores):.3f})")

figure, axes = plt.subplots(figsize=(8, 3))
axes.boxplot([*tables.values()], orientation="horizontal")
axes.set_yticks(range(1, len(tables) + 1), [*tables])
axes.set_xlabel("Held-out balanced accuracy")
figure.savefig("fine_tuning.png", bbox_inches="tight")
