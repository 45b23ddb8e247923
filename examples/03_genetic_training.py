"""Training with a genetic algorithm
=================================

Flatten, evolve, reshape, predict.
"""

import numpy as np
import pygad

from ga_ann import evolve, flatten, load_fruits360, plot_fitness, predict, reshape

X, y = load_fruits360(return_X_y=True, n_features=102)

# %%
# One call trains.
result = evolve(X, y, hidden_layer_sizes=(150, 60), random_state=0)
print(f"{result.stop_reason} after {len(result.history) - 1} generations")

# %%
# A solution is a chromosome: its three weight matrices, flattened and joined.
chromosome = flatten(result.weights)
shapes = [W.shape for W in result.weights]
print(f"{shapes} are {chromosome.size} genes")

# The best chromosome, reshaped into matrices, predicts.
weights = reshape(chromosome, shapes)
print(f"training accuracy: {np.mean(predict(weights, X) == y):.2%}")

# %%
# The engine is a real pygad.GA.
print(f"is a pygad.GA: {isinstance(result.ga, pygad.GA)}")

# %%
# What each generation measured, as a picture.
axes = plot_fitness(result.history)
axes.figure.savefig("fitness.png")
print("fitness curve: fitness.png")
