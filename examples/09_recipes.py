"""Recipes
=======

The same data, searched in four ways.
"""

from dataclasses import replace

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from ga_ann import RECIPES, Recipe, evolve, plot_fitness

X, y = load_breast_cancer(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
scaler = StandardScaler().fit(X_train)

# %%
# Three recipes have names; the fourth changes two parts of one of them.
recipes = {
    **RECIPES,  # default, classic, tutorial
    "tournaments": replace(RECIPES["classic"], selection="tournament", crossover="neuron"),
}
results = {}
for name, recipe in recipes.items():
    result = evolve(
        scaler.transform(X_train),
        y_train,
        hidden_layer_sizes=(16,),
        recipe=recipe,
        target_fitness=None,
        max_time=0.5,
        random_state=0,
    )
    results[name] = result
    held_out = np.mean(result.predict(scaler.transform(X_test)) == y_test)
    print(
        f"{name:>11}: {result.best_fitness:.1%} on the training data, {held_out:.1%} held out, "
        f"after {result.history.last['evaluations']:,.0f} evaluations"
    )

axes = plot_fitness(results, x="evaluations")
axes.figure.savefig("recipes.png")

# %%
# A recipe prints itself, and goes through a file.
print(f"\nwhat the problem asked for: {result.recipe}")
RECIPES["classic"].write("classic.toml")
print(f"a file gives the same recipe: {Recipe.read('classic.toml') == RECIPES['classic']}")
