"""
6. Where gradient descent cannot go
===================================

On these fruits gradient descent is as good and as fast as evolution. This part shows what
evolution is for: scores, neurons and weights that have no gradient.
"""

# %%
# Gradient descent asks of each weight: if you change a *little*, does the loss get a little
# smaller? That needs a loss that changes a little, neurons that do, and weights that can. Evolution
# asks for none of the three. It only compares.
#
# A score that counts mistakes
# ----------------------------
#
# A test for breast cancer may err in two ways, and they are not alike. Let a missed cancer cost ten
# times as much as a false alarm. The mean cost of the answers is what we want to be small. It is a
# number of *decisions*, and a small change of a weight changes none of them. So gradient descent
# trains on something else and hopes. Here the cost itself is the fitness (`neg_cost` is minus the
# mean cost, as fitness is something to maximise).

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ga_ann import GeneticMLPClassifier, evolve, flatten, load_fruits360, predict, reshape
from ga_ann.fitness import neg_cost

X, benign = load_breast_cancer(return_X_y=True)
cancer = 1 - benign
costs = [[0, 1], [10, 0]]  # a row for each truth, a column for each answer

networks = {
    "gradient descent": MLPClassifier((16,), max_iter=500, random_state=0),
    "evolution, by the cost": GeneticMLPClassifier(
        (16,), fitness=neg_cost(costs), n_generations=300, random_state=0
    ),
}
folds = StratifiedKFold(5, shuffle=True, random_state=0)
found = {}
for name, network in networks.items():
    # Each patient is judged by a network that was trained without them.
    answers = cross_val_predict(make_pipeline(StandardScaler(), network), X, cancer, cv=folds)
    missed = np.count_nonzero((cancer == 1) & (answers == 0))
    alarms = np.count_nonzero((cancer == 0) & (answers == 1))
    found[name] = (10 * missed, alarms)
    print(f"{name}: {missed} missed, {alarms} false alarms, cost {10 * missed + alarms}")

figure, ax = plt.subplots(figsize=(8, 2.4), layout="constrained")
from_missed, from_alarms = np.transpose(list(found.values()))
ax.barh(list(found), from_missed, color="#D55E00", label="missed, 10 each")
ax.barh(list(found), from_alarms, left=from_missed, color="#E69F00", label="false alarms, 1 each")
ax.set_xlabel("Cost of 569 patients, each judged by a network that never saw them")
ax.invert_yaxis()
figure.legend(loc="outside upper center", ncols=2, frameon=False)
plt.show()

# %%
# To be fair: for a cost like this one there is a trick that needs no evolution. Train by gradient
# descent, and then move the threshold from which the network's probability counts as a yes. In the
# measurements on :doc:`the page about performance </performance>` that does better still. The score
# as the fitness is for what no threshold mends: the F1 score over many classes, a rule of your own.
#
# Neurons that only switch
# ------------------------
#
# The step activation passes on 1 where the sum is positive, else 0. Its slope is 0 everywhere, so a
# gradient through it is 0 as well, and gradient descent stands still. In evolution it is one word:

X, y = load_fruits360(return_X_y=True, n_features=102)
for activation in ("relu", "step", "sign"):
    run = evolve(X, y, activation=activation, random_state=0)
    print(f"{activation:>4}: {run.best_fitness:.1%} after {run.history.last['generation']:.0f}")

# %%
# Weights of two bits
# -------------------
#
# A weight is a number of 32 bits. A small device would like fewer. With two bits there are four
# values, say -2, -1, 1 and 2. Between -1 and 1 there is nothing, and so no small step for gradient
# descent to make. Evolution picks genes of the parents and now and then puts another value:

tiny = evolve(X, y, weight_set=(-2, -1, 1, 2), random_state=0)
chromosome = flatten(tiny.weights)
print(f"{tiny.best_fitness:.1%} after {tiny.history.last['generation']:.0f} generations")
print("values of the weights:", np.unique(chromosome).tolist())

colours = ListedColormap(["#67001f", "#f4a582", "#92c5de", "#053061"])
figure, axes = plt.subplots(
    1, 3, figsize=(9, 3.4), width_ratios=(150, 60, 24), layout="constrained"
)
for ax, W in zip(axes, tiny.weights, strict=True):
    places = np.searchsorted(np.unique(chromosome), W)
    image = ax.imshow(places, colours, aspect="auto", vmin=-0.5, vmax=3.5, interpolation="nearest")
    ax.set(title=f"{W.shape[0]} x {W.shape[1]}", xticks=[], yticks=[])
bar = figure.colorbar(image, ax=axes, fraction=0.03, ticks=range(4))
bar.set_ticklabels(["-2", "-1", "1", "2"])
plt.show()

# %%
# Four weights fit into a byte. Packed and unpacked, the network gives the same answers:

values = np.unique(chromosome)
codes = np.searchsorted(values, chromosome).reshape(-1, 4)
packed = (codes @ 4 ** np.arange(4)).astype(np.uint8).tobytes()

again = np.frombuffer(packed, dtype=np.uint8)[:, None] // 4 ** np.arange(4) % 4
shapes = [W.shape for W in tiny.weights]
unpacked = reshape(values[again].ravel(), shapes)
same = np.array_equal(predict(unpacked, X.astype(np.float32)), tiny.predict(X))
print(f"{len(packed):,} bytes instead of {chromosome.astype(np.float32).nbytes:,}; same: {same}")

# %%
# This is where the story ends: from a rule that could not learn, by a loop of 15 lines, to a
# network in six kilobytes. From here, :doc:`/comparison` says when *not* to use this package, and
# the pages of explanation say why its parts are as they are.
