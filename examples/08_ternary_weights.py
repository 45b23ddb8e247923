"""A network in a few hundred bytes
================================

Every weight is -1, 0 or 1, which no gradient can train.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from ga_ann import evolve, flatten, predict, reshape

TRITS = 3 ** np.arange(5)  # five weights of three values are less than 256 combinations


def pack(chromosome: np.ndarray) -> bytes:
    """Put five ternary weights into each byte."""
    padded = np.append(chromosome, np.zeros(-len(chromosome) % 5)) + 1
    return (padded.reshape(-1, 5) @ TRITS).astype(np.uint8).tobytes()


def unpack(packed: bytes, n_genes: int) -> np.ndarray:
    """Return the weights that `pack` was given."""
    codes = np.frombuffer(packed, dtype=np.uint8)[:, None]
    return ((codes // TRITS % 3).ravel()[:n_genes] - 1.0).astype(np.float32)


# %%
# Evolution stays inside the set of weights.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

result = evolve(
    X_train,
    y_train,
    hidden_layer_sizes=(32,),
    activation="relu",
    bias=True,
    weight_set="ternary",
    n_generations=1000,
    target_fitness=None,
    max_time=4,
    random_state=0,
)
# %%
# Five weights go into each byte.
shapes = [parameter.shape for parameter in result.weights]
chromosome = flatten(result.weights)
packed = pack(chromosome)
print(f"{len(chromosome)} weights, values {np.unique(chromosome).tolist()}: {len(packed)} bytes")
print(f"held-out accuracy: {np.mean(result.predict(X_test) == y_test):.1%}")

# %%
# What was packed predicts the same.
unpacked = reshape(unpack(packed, len(chromosome)), shapes)
predicted = predict(unpacked, X_test.astype(np.float32), activation="relu")
print(f"same predictions unpacked: {np.array_equal(predicted, result.predict(X_test))}")

# %%
# What each hidden neuron looks for in the 8 x 8 pixels of a digit.
figure, axes = plt.subplots(4, 8, figsize=(8, 4))
for neuron, ax in zip(result.weights[0].T, axes.flat, strict=True):
    ax.imshow(neuron.reshape(8, 8), cmap="RdBu", vmin=-1, vmax=1)
    ax.set_axis_off()
figure.savefig("neurons.png")
