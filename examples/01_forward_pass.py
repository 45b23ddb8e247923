"""The forward pass by hand
========================

One forward pass by hand: what the network computes, and nothing else.
"""

import matplotlib.pyplot as plt
import numpy as np

from ga_ann import forward, init_weights, load_fruits360, predict

fruits = load_fruits360(n_features=102)
X, y = fruits.data, fruits.target
print(f"{len(X)} pictures, each a histogram of {X.shape[1]} hues; classes 0 to {y.max()}")

# What a picture of each fruit looks like to the network, on average.
figure, axes = plt.subplots()
for k, name in enumerate(fruits.target_names):
    axes.plot(X[y == k].mean(axis=0), label=name)
axes.set(xlabel="Feature (a bin of the hue histogram)", ylabel="Pixels")
axes.legend()
figure.savefig("histograms.png")

# %%
# The tutorial's network: 102 inputs, two hidden layers of 150 and 60, 4 outputs, no biases.
rng = np.random.default_rng(0)
W1, W2, W3 = init_weights(rng, [102, 150, 60, 4], init="tutorial")

# %%
# A layer multiplies by its matrix, and the hidden ones cut off what is negative.
hidden1 = np.maximum(X @ W1, 0)  # ReLU
hidden2 = np.maximum(hidden1 @ W2, 0)
scores = hidden2 @ W3
classes = scores.argmax(axis=1)  # the class with the largest score

# %%
# The library does the same.
np.testing.assert_allclose(forward([W1, W2, W3], X), scores)
np.testing.assert_array_equal(predict([W1, W2, W3], X), classes)
print(f"scores of the first picture: {np.round(scores[0], 2)} -> class {classes[0]} (is {y[0]})")
print(f"accuracy of random weights: {np.mean(classes == y):.1%}")
