"""Your own numbers
================

Iris and the handwritten digits, standardised, a quarter held out.
"""

import numpy as np
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from ga_ann import evolve, plot_fitness

results = {}
for load, hidden in ((load_iris, (8,)), (load_digits, (32,))):
    data = load()
    X_train, X_test, y_train, y_test = train_test_split(
        data.data, data.target, stratify=data.target, random_state=0
    )
    scaler = StandardScaler().fit(X_train)
    result = evolve(
        scaler.transform(X_train),
        y_train,
        hidden_layer_sizes=hidden,
        bias=True,
        max_time=4,
        random_state=0,
    )
    results[load.__name__] = result
    held_out = np.mean(result.predict(scaler.transform(X_test)) == y_test)
    print(
        f"{load.__name__}: {result.best_fitness:.1%} on the training data, "
        f"{held_out:.1%} held out, after {len(result.history) - 1} generations"
    )

# %%
# How both went.
axes = plot_fitness(results, x="seconds")
axes.figure.savefig("own_data.png")
