"""
4. A genetic algorithm in 15 lines
==================================

Draw a few networks, keep the better ones, mix them, change them a little, and repeat. This part
writes that out, sees it learn, and then hands the same task to `evolve`.
"""

# %%
# A network as one long row
# -------------------------
#
# Evolution works on *chromosomes*: rows of numbers, the *genes*. Ours are the weights. `flatten`
# lays the three matrices out in one row, matrix after matrix. `reshape` cuts the row into matrices
# again. Nothing is lost on the way.

import matplotlib.pyplot as plt
import numpy as np

from ga_ann import (
    evolve,
    flatten,
    init_weights,
    layer_shapes,
    load_fruits360,
    plot_fitness,
    plot_population,
    predict,
    reshape,
)

X, y = load_fruits360(return_X_y=True, n_features=102)
sizes = [102, 150, 60, 4]
shapes = layer_shapes(sizes)

weights = init_weights(np.random.default_rng(0), sizes, init="tutorial")
chromosome = flatten(weights)
print(f"{shapes} are {chromosome.size:,} genes")
for W, again in zip(weights, reshape(chromosome, shapes), strict=True):
    np.testing.assert_array_equal(W, again)

# %%
# The parts
# ---------
#
# *Fitness* says what a chromosome is worth. We take the accuracy itself, on every fourth picture.
#
# *Selection* decides who has offspring. We take the five fittest of twenty as *parents*.
#
# *Crossover* makes a child of two parents. For each gene a coin decides whose it gets.
#
# *Mutation* changes a few genes of the child by a small random number. Here it is one gene in
# twenty, by a normal number with standard deviation 0.05.
#
# The best parent goes on unchanged, so that the best can only get better. It is called an *elite*.
#
# That is all:

X_seen, y_seen = X[::4].astype(np.float32), y[::4]
rng = np.random.default_rng(0)


def fitness(population):
    """Return the accuracy of each chromosome, in percent."""
    answers = predict(reshape(population, shapes), X_seen)
    return 100 * (answers == y_seen).mean(axis=1)


population = flatten(init_weights(rng, sizes, n_solutions=20, init="tutorial"))
best = []
for _ in range(80):
    scores = fitness(population)
    best.append(scores.max())
    parents = population[np.argsort(-scores)[:5]]
    mothers, fathers = parents[rng.integers(5, size=(2, 19))]
    children = np.where(rng.random(mothers.shape) < 0.5, mothers, fathers)
    mutates = rng.random(children.shape) < 0.05
    children += mutates * rng.normal(0, 0.05, children.shape)
    population = np.vstack([parents[:1], children]).astype(np.float32)

print(f"best of the first generation: {best[0]:.1f} % of the {len(y_seen)} pictures")
print(f"best of the last generation:  {best[-1]:.1f} %")
network = reshape(population[0], shapes)
print(
    f"the same network on all {len(y):,} pictures: {100 * np.mean(predict(network, X) == y):.1f} %"
)

figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
ax.step(range(80), best, where="post", color="#0072B2")
ax.axhline(25, color="0.6", ls=":", label="one in four")
ax.set(xlabel="Generation", ylabel="Best accuracy (%)", ylim=(0, 103))
ax.grid(alpha=0.3)
ax.legend(frameon=False)
plt.show()

# %%
# No weight was ever told which way to go. The network of part 2, with the features of part 1, now
# knows its fruits.
#
# What crossover does can be seen. Take two parents, colour the genes of one blue and those of the
# other orange, and look at the first matrix of their child. Crossover by a coin for each gene mixes
# them as finely as can be. The tutorial's article cuts both chromosomes in the middle instead.

coins = rng.random(chromosome.size) < 0.5
cut = np.arange(chromosome.size) < chromosome.size // 2
figure, axes = plt.subplots(
    2, 3, figsize=(9, 4.6), width_ratios=(150, 60, 12), layout="constrained"
)
for row, (how, from_mother) in zip(
    axes, {"A coin for each gene": coins, "One cut in the middle": cut}.items(), strict=True
):
    for k, (ax, part) in enumerate(zip(row, reshape(from_mother, shapes), strict=True), start=1):
        colours = np.where(part[..., None], (0.0, 0.45, 0.7), (0.9, 0.62, 0.0))
        ax.imshow(colours, aspect="auto", interpolation="nearest")
        ax.set(xticks=[], yticks=[], title=f"W{k}")
    row[0].set_ylabel(how)
plt.show()

# %%
# The same with the library
# -------------------------
#
# `evolve` is such a loop, with what makes it fast, safe and better around it. What shapes its
# search is a *recipe*. Three have names:
#
# - ``"tutorial"`` is the algorithm of the article, number by number: 8 solutions, 4 parents, one
#   cut in the middle, and a tenth of the genes changed by up to 1. That is ten times as much as
#   the weights were at first.
# - ``"classic"`` is a textbook genetic algorithm, much like our loop.
# - ``"default"`` moves one mean toward the better solutions and away from the worse ones, and
#   measures each generation on a small batch of pictures.
#   :doc:`Why </explanation/defaults>` has a page of its own.

runs = {
    recipe: evolve(X, y, recipe=recipe, n_generations=100, random_state=0)
    for recipe in ("tutorial", "classic", "default")
}
for recipe, run in runs.items():
    last = run.history.last
    print(
        f"{recipe:>8}: {last['best_fitness']:7.2%} after {last['generation']:3.0f} generations, "
        f"worth {last['evaluations']:5.0f} evaluations"
    )

figure, ax = plt.subplots(figsize=(7.5, 4), layout="constrained")
plot_fitness(runs, ax, x="evaluations", caption=False)
plt.show()

# %%
# An *evaluation* is one network measured on all pictures, so it is the fair unit of cost. A network
# on a batch of 32 is worth 32 / 1,962 of one. The default recipe is done before the textbook has
# measured its first generation of 64.
#
# The tutorial's own settings climb slowly, and on a run of this length they stay far from the top.
# They do get there: the article tells of more than 97 % after 1,000 generations.
#
# A look at the population
# ------------------------
#
# `plot_population` shows where the last generation stands, as seen from its mean. To the right is
# where selection pulls. Every point is a network of 24,540 genes.

figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for ax, recipe in zip(axes, ("classic", "default"), strict=True):
    plot_population(runs[recipe], ax)
    ax.set_title(recipe)
plt.show()

# %%
# All of this was the accuracy on pictures that the networks were trained on. The next part asks
# what it is worth on pictures that they have never seen.
