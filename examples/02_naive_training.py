"""Naive training, and why it cannot work
======================================

The tutorial's naive training returns what it was given: random weights.
"""

import numpy as np

from ga_ann import load_fruits360, plot_fitness, train_naive

X, y = load_fruits360(return_X_y=True, n_features=102)

# %%
# For each wrong prediction, every weight becomes ``w - 0.001 * w``.
results = {}
for activation in ("relu", "sigmoid"):
    result = train_naive(X, y, activation=activation, random_state=0)
    results[activation] = result
    accuracies = result.history["best_fitness"]
    print(f"{activation}: accuracy before {accuracies[0]:.1%}, after {accuracies[-1]:.1%}")

axes = plot_fitness(results)
axes.figure.savefig("naive.png")

# %%
# The update multiplies ALL weights by one positive number, whatever the mistake was. A ReLU
# network without biases scales its outputs by a power of that number, and the largest output
# stays the largest: no prediction ever changes.
start = train_naive(X, y, n_iterations=0, random_state=0)
end = train_naive(X, y, random_state=0)
ratio = end.weights[0] / start.weights[0]
print(f"every weight shrank by the same factor: {ratio.min():.6g} to {ratio.max():.6g}")
print(f"predictions that changed: {np.count_nonzero(start.predict(X) != end.predict(X))}")
