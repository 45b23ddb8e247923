"""Mistakes that cost
==================

Training on the score that counts, which has no gradient.
"""

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import cross_val_predict
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ga_ann import GeneticMLPClassifier, plot_confusion
from ga_ann.fitness import neg_cost

# %%
# Will a patient's diabetes be severe within a year? To miss that costs five false alarms.
X, progression = load_diabetes(return_X_y=True)
severe = progression > 220
costs = np.array([[0, 1], [5, 0]])  # a row for each true class, a column for each predicted one

# %%
# One network minimises the log loss, which knows no costs; the other the costs themselves.
networks = {
    "gradient": MLPClassifier((8,), max_iter=2000, random_state=0),
    "genetic, by cost": GeneticMLPClassifier(
        (8,), fitness=neg_cost(costs), n_generations=500, random_state=0
    ),
}
print(f"{'everyone alarmed':>16}: cost {np.count_nonzero(~severe)}")
for name, network in networks.items():
    # Each patient is predicted by a network that was trained without them.
    predicted = cross_val_predict(make_pipeline(StandardScaler(), network), X, severe, cv=3)
    missed = np.count_nonzero(severe & ~predicted)
    alarms = np.count_nonzero(~severe & predicted)
    cost = costs[severe.astype(int), predicted.astype(int)].sum()
    print(f"{name:>16}: cost {cost} ({missed} of {severe.sum()} missed, {alarms} false alarms)")

# %%
# What the last of them gets wrong.
names = np.array(["mild", "severe"])
axes = plot_confusion(names[severe.astype(int)], names[predicted.astype(int)])
axes.figure.savefig("costs.png")
