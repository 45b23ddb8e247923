"""Watching a run
==============

Watch runs: curves beside held-out data, hues that speak for a class, a population in motion."""

import numpy as np
from sklearn.model_selection import train_test_split

from ga_ann import (
    Snapshots,
    evolve,
    plot_fitness,
    plot_hue_weights,
    plot_population,
    save_animation,
)

BINS = 36
HUES = {"apple": 0.02, "lemon": 0.15, "lime": 0.25, "plum": 0.8}
rng = np.random.default_rng(0)


def draw_histogram(hue: float) -> np.ndarray:
    """Return the hues of a picture: of a fruit, which is ripe or less so, and of a background."""
    fruit = rng.normal(rng.normal(hue, 0.04), 0.08, size=300) % 1
    pixels = np.concatenate([fruit, rng.random(600)])
    return np.histogram(pixels, bins=BINS, range=(0, 1))[0]


y = np.repeat(list(HUES), 100)
X = np.array([draw_histogram(HUES[name]) for name in y], dtype=float)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
options = {
    "hidden_layer_sizes": (8,),
    "recipe": "classic",
    "validation_data": (X_test, y_test),
    "n_generations": 60,
    "target_fitness": None,
}

# Training and held-out accuracy over the seconds: five seeds, their medians and bands.
runs = [evolve(X_train, y_train, **options, random_state=seed).history for seed in range(5)]
plot_fitness(runs, x="seconds", band=True).figure.savefig("seeds.png")

snapshots = Snapshots(every=3)
result = evolve(X_train, y_train, **options, random_state=0, callbacks=[snapshots])
plot_fitness(result).figure.savefig("run.png")

# Which hues speak for which fruit, as the whole network has it.
axes = plot_hue_weights(result, X_test, extraction={"bins": BINS, "hue_range": (0, 1)})
axes.figure.savefig("hues.png")

# Where selection pulls the population: at the end, and at any other time.
plot_population(result).figure.savefig("population.png")
plot_population(snapshots[1]).figure.savefig("early_population.png")
save_animation("run.gif", snapshots, result)
print(f"{len(snapshots)} generations of {len(result.history)}: run.gif")
print("stills: seeds.png, run.png, hues.png, population.png, early_population.png")
