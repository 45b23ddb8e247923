"""
2. The forward pass
===================

A network that has been trained and one that has not do the same thing: they multiply and add. This
part does it by hand, in three lines of NumPy, and then asks what such a network is worth while its
weights are random.
"""

# %%
# Three matrices
# --------------
#
# The network has 102 inputs, a first hidden layer of 150 neurons, a second one of 60, and an output
# for each of the four fruits. A *neuron* takes a weighted sum of everything in the layer before it.
# The weights of all neurons of a layer are the columns of one matrix, so the whole network is three
# matrices. They start with random numbers between -0.1 and 0.1.

import matplotlib.pyplot as plt
import numpy as np

from ga_ann import forward, init_weights, load_fruits360, predict

fruits = load_fruits360(n_features=102)
X, y, names = fruits.data, fruits.target, fruits.target_names

W1, W2, W3 = init_weights(np.random.default_rng(1), [102, 150, 60, 4], init="tutorial")
print("shapes:", W1.shape, W2.shape, W3.shape)
print(f"weights: {W1.size:,} + {W2.size:,} + {W3.size:,} = {W1.size + W2.size + W3.size:,}")

# %%
# One picture, by hand
# --------------------
#
# ``x @ W1`` computes all 150 sums of the first layer at once. What a neuron passes on is not the
# sum itself but an *activation* of it, here the simplest there is: negative sums become 0. It is
# called ReLU. Without it, the three matrices could be multiplied into one, and two of the layers
# would be for nothing. The last layer has no activation. Its four sums are the *scores*, and the
# network's answer is the class with the largest one.

x = X[1500]  # a lemon
hidden1 = np.maximum(x @ W1, 0)
hidden2 = np.maximum(hidden1 @ W2, 0)
scores = hidden2 @ W3

print("scores:", dict(zip(names.tolist(), scores.round(1).tolist(), strict=True)))
print(f"it says {names[scores.argmax()]}, and it is a {names[y[1500]]}")

# %%
# This is all that a network ever does. The figure follows the lemon through it.

layers = {
    "102 features": x,
    "150 neurons": hidden1,
    "60 neurons": hidden2,
    "4 scores": scores,
}
figure, axes = plt.subplots(1, 4, figsize=(9, 3.4), layout="constrained")
for ax, (title, numbers) in zip(axes, layers.items(), strict=True):
    ax.barh(np.arange(numbers.size), numbers, height=0.9, color="#0072B2")
    ax.set(title=title, ylim=(numbers.size - 0.4, -0.6), yticks=[])
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set(xscale="symlog", xticks=(0, 10, 1000))
axes[1].set_xlabel("what each passes on")
axes[3].barh(scores.argmax(), scores.max(), height=0.9, color="#D55E00")
axes[3].set_yticks(range(4), names)
axes[3].axvline(0, color="black", lw=0.8)
plt.show()

# %%
# All pictures at once
# --------------------
#
# Nothing in those three lines cares whether ``x`` is a picture or a table of pictures. Put the
# whole table in its place, and each row of the result belongs to a picture. `forward` is this, for
# any number of layers, and `predict` is ``forward`` followed by ``argmax``.

scores = np.maximum(np.maximum(X @ W1, 0) @ W2, 0) @ W3
np.testing.assert_allclose(forward([W1, W2, W3], X), scores)
np.testing.assert_array_equal(predict([W1, W2, W3], X), scores.argmax(axis=1))

accuracy = np.mean(predict([W1, W2, W3], X) == y)
print(f"accuracy: {accuracy:.1%} of {len(X)} pictures")

# %%
# How good is luck?
# -----------------
#
# The share of pictures with the right answer is the *accuracy*. Was that a good network, or a bad
# one? Draw many and see. A *population* of networks is the same list of matrices with one more
# axis in front, and ``predict`` takes that as well. A quarter of the pictures, every fourth one,
# is enough to measure on.

population = init_weights(
    np.random.default_rng(0), [102, 150, 60, 4], n_solutions=300, init="tutorial"
)
print("shapes:", [W.shape for W in population])
X_seen, y_seen = X[::4].astype(np.float32), y[::4]
answers = [predict([W[k] for W in population], X_seen) for k in range(300)]
accuracies = np.mean(answers == y_seen, axis=1)
print(f"mean {accuracies.mean():.1%}, best {accuracies.max():.1%}")

figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.hist(accuracies, bins=np.arange(0, 0.62, 0.02), color="#0072B2", edgecolor="white")
ax.axvline(0.25, color="#D55E00", label="one in four")
ax.xaxis.set_major_formatter("{x:.0%}")
ax.set(xlabel="Accuracy", ylabel="Networks", title="300 networks with random weights")
ax.legend(frameon=False)
plt.show()

# %%
# The mean is what guessing would give, one in four. But the networks are not all alike, and some
# are far above it by luck alone. Keep both facts in mind. The first is what training has to beat.
# The second is what evolution will live on.
