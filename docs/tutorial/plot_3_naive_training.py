"""
3. A training that cannot work
==============================

The tutorial goes on to train its network by a simple rule, and reports that the accuracy stays
below 45 %. This part follows the rule and finds out why. The reason is worth knowing, because the
rule sounds sensible.
"""

# %%
# The rule
# --------
#
# Show the network one picture after another. When its answer is right, do nothing. When it is
# wrong, change *every* weight ``w`` into ``w - 0.001 * w``. Do that for all pictures, ten times.
# Written out:

import matplotlib.pyplot as plt
import numpy as np

from ga_ann import forward, init_weights, load_fruits360, predict, train_naive

X, y = load_fruits360(return_X_y=True, n_features=102)


def train_by_hand(weights, X, y):
    """Yield the weights before training, and after each of ten passes over the pictures."""
    yield weights
    for _ in range(10):
        for x, label in zip(X, y, strict=True):
            scores = np.maximum(np.maximum(x @ weights[0], 0) @ weights[1], 0) @ weights[2]
            if scores.argmax() != label:
                weights = [W - 0.001 * W for W in weights]
        yield weights


rng = np.random.default_rng(0)
start = init_weights(rng, [102, 150, 60, 4], init="tutorial", dtype=np.float64)
steps = list(train_by_hand(start, X, y))
accuracies = [np.mean(predict(weights, X) == y) for weights in steps]
print("accuracy after each pass:", " ".join(f"{accuracy:.2%}" for accuracy in accuracies))

# %%
# The same number eleven times, to the last picture. Not a slow training: none at all. Let us see
# what did change.

end = steps[-1]
ratio = end[0] / start[0]
print(f"each weight of the first matrix was multiplied by {ratio.min():.6g} to {ratio.max():.6g}")

sizes = [np.abs(forward(weights, X)).max() for weights in steps]
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
left.semilogy(sizes, "o-", color="#0072B2")
left.set(xlabel="Pass", ylabel="Largest score of any picture", title="The scores vanish ...")
right.plot(accuracies, "o-", color="#D55E00")
right.yaxis.set_major_formatter("{x:.0%}")
right.set(xlabel="Pass", ylabel="Accuracy", ylim=(0, 1), title="... and no answer changes")
for ax in (left, right):
    ax.grid(alpha=0.3)
plt.show()

# %%
# Why
# ---
#
# Look at the rule again. ``w - 0.001 * w`` is ``0.999 * w``. Neither the picture nor its label is
# in it. A mistake on a lemon and a mistake on an apple do the same thing: they make all weights a
# little smaller.
#
# Multiply all weights by one positive number, and a network with ReLU and without biases multiplies
# all its scores by a power of that number. The largest score stays the largest. So *no answer can
# ever change*, whatever the pictures, the labels and the number of passes. What the training
# returns is the luck of its first weights, and so is any accuracy that is reported of it.
# :doc:`The proof </explanation/naive_training>` is short.
#
# `train_naive` does what our loop did, for any network. Twenty draws of the first weights:

before, after = [], []
for seed in range(20):
    history = train_naive(X, y, random_state=seed).history
    before.append(history["best_fitness"][0])
    after.append(history["best_fitness"][-1])
print(f"before: {min(before):.1%} to {max(before):.1%}; changed by training: {before != after}")

# %%
# With sigmoid it is worse
# ------------------------
#
# The tutorial also offers the sigmoid, ``1 / (1 + exp(-z))``, as activation. That is not
# homogeneous, and answers do change. Where do they go? As the weights shrink, every sum goes to 0,
# every neuron passes on one half, and the picture's own numbers count less and less. In the end the
# scores are the same for all pictures.
#
# Take a network that still tells pictures apart, and shrink its weights as so many wrong answers
# would.

start = init_weights(np.random.default_rng(6), [102, 150, 60, 4], init="tutorial")
wrong_answers = np.arange(0, 2001, 50)
shares, accuracies = [], []
for n_wrong in wrong_answers:
    answers = predict([0.999**n_wrong * W for W in start], X, activation="sigmoid")
    shares.append(np.bincount(answers, minlength=4) / len(y))
    accuracies.append(np.mean(answers == y))

figure, ax = plt.subplots(figsize=(7.5, 3.4), layout="constrained")
names = ("apple", "raspberry", "mango", "lemon")
colours = ("#D55E00", "#CC79A7", "#009E73", "#F0E442")
ax.stackplot(wrong_answers, np.transpose(shares), labels=names, colors=colours, alpha=0.8)
ax.plot(wrong_answers, accuracies, color="black", lw=2, label="accuracy")
ax.axvline(len(y), color="0.5", ls=":", label="as many as there are pictures")
ax.yaxis.set_major_formatter("{x:.0%}")
ax.set(xlabel="Wrong answers so far", ylabel="Share of the answers", xlim=(0, 2000), ylim=(0, 1))
ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
plt.show()

# %%
# Less than one pass, and the network gives one answer to everything. Many do so from the start:

for n_iterations in (0, 1):
    runs = [
        train_naive(X, y, activation="sigmoid", n_iterations=n_iterations, random_state=seed)
        for seed in range(12)
    ]
    n_single = sum(len(np.unique(run.predict(X))) == 1 for run in runs)
    print(f"passes: {n_iterations}, networks with a single answer: {n_single} of {len(runs)}")

# %%
# Any rule that would do better has to look at what the mistake was. Gradient descent does so by
# calculus: it computes which way each weight should go. The next part does it without any calculus.
