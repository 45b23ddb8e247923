"""Somebody else's program, which has the wheel alone: `make release-check` types and runs it.

What a name is to a type checker is asserted where the stub could lose it: each name comes through
`lazy_loader`, and would be `Any` without `__init__.pyi` and `py.typed`.
"""

from typing import Any, assert_type

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

import ga_ann
from ga_ann import (
    Callback,
    Checkpoint,
    EvolutionResult,
    GeneticMLPClassifier,
    GeneticMLPRegressor,
    History,
    Model,
    NetworkGA,
    Recipe,
    State,
    TrainingResult,
    evolve,
    forward,
    init_weights,
    load_checkpoint,
    load_fruits360,
    load_model,
    plot_fitness,
    predict,
    train_naive,
)


class Watch(Callback):
    """Counts generations."""

    n = 0

    def on_generation(self, ga: NetworkGA, history: History) -> None:
        self.n += 1


def train(X: NDArray[Any], y: NDArray[Any]) -> EvolutionResult:
    watch = Watch()
    result = evolve(
        X,
        y,
        hidden_layer_sizes=(6,),
        recipe=Recipe(population_size=32),
        n_generations=5,
        callbacks=[watch, Checkpoint("run.npz", every_generations=2)],
        random_state=0,
    )
    assert_type(result, EvolutionResult)
    assert_type(result.history["best_fitness"], NDArray[np.float64])
    assert watch.n == len(result.history)
    assert_type(load_checkpoint("run.npz"), State)
    return result


def main() -> None:
    fruits = load_fruits360(n_features=12)
    X, y = np.asarray(fruits.data), np.asarray(fruits.target)
    result = train(X, y)
    model = result.to_model()
    assert_type(model, Model)
    result.save("model.npz")
    np.testing.assert_array_equal(load_model("model.npz").predict(X), result.predict(X))
    assert_type(plot_fitness(result), Axes)
    assert len(result.history.to_frame()) == len(result.history)

    naive = train_naive(X, y, hidden_layer_sizes=(6,), random_state=0)
    assert_type(naive, TrainingResult)

    rng = np.random.default_rng(0)
    weights = init_weights(rng, (12, 6, 4))
    outputs = forward(weights, X)
    np.testing.assert_array_equal(predict(weights, X), outputs.argmax(axis=1))

    classifier = GeneticMLPClassifier((6,), n_generations=5, random_state=0).fit(X, y)
    assert_type(classifier, GeneticMLPClassifier)
    regressor = GeneticMLPRegressor((6,), n_generations=5, random_state=0).fit(X, 1.0 * y)
    assert_type(regressor, GeneticMLPRegressor)
    print(f"ga_ann {ga_ann.__version__}: {result.best_fitness:.0%} after 5 generations")


if __name__ == "__main__":
    main()
