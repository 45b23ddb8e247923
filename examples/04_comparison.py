"""A comparison on an honest split
===============================

Baseline, genetic algorithm and gradient descent on the same honest split.
"""

from ga_ann import compare, load_fruits360, plot_comparison
from ga_ann.comparison import summarise

# %%
# Each fruit was filmed while it turned, so neighbouring pictures look alike and a random split
# flatters. Training on one axis of rotation and testing on the other does not.
fruits = load_fruits360()
comparison = compare(
    fruits.data,
    fruits.target,
    groups=fruits.groups,
    methods=["random", "naive", "ga", "adam"],
    splits=["rotation"],
    seeds=2,
)
# %%
# Medians over the seeds.
for line in summarise(comparison.rows):
    print(
        f"{line['method']:>8} {line['split']:<14} held-out accuracy "
        f"{line['held_out_accuracy']['median']:.1%} in {line['seconds']['median']:.2f} s"
    )

# %%
# Every seed, as a picture.
axes = plot_comparison(comparison.rows)
axes.figure.savefig("comparison.png", bbox_inches="tight")
print("picture: comparison.png")
