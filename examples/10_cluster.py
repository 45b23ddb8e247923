"""More than one machine
=====================

The same call, measured by the workers of a Dask cluster.
"""

import numpy as np
from distributed import Client, LocalCluster
from sklearn.datasets import load_digits

from ga_ann import Recipe, evolve, plot_fitness


def main() -> None:
    X, y = load_digits(return_X_y=True)
    options = {"recipe": Recipe(population_size=512), "n_generations": 20, "random_state": 0}
    alone = evolve(X, y, **options)
    # Two processes of this machine. For others: `dask scheduler` on one of them, `dask worker
    # ADDRESS` on each, and Client("ADDRESS").
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        result = evolve(X, y, **options, client=client)
    same = all(np.array_equal(W, V) for W, V in zip(result.weights, alone.weights, strict=True))
    print(f"{result.best_fitness:.1%} in training; the same network as on one machine: {same}")
    axes = plot_fitness({"two workers": result, "one machine": alone}, x="seconds")
    axes.figure.savefig("cluster.png")


if __name__ == "__main__":  # the workers import this file
    main()
