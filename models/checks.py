"""Whether a model computes on this machine what it computed where it was made."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from mmd.core.learned import forest, lstm, q_policy
from mmd.errors import ArtefactError
from mmd.jit.kernel import bind
from models.artefact import Artefact

TOLERANCE: Final = 1e-5
"""Of a network's outputs: processors round sums differently. Trees and tables must be equal."""
Array = np.ndarray[Any, Any]


def check_golden(artefact: Artefact) -> None:
    """Compute the golden outputs again. Raises: ArtefactError where they come out differently."""
    kind = artefact.manifest.kind
    try:
        got, wanted = _COMPUTED[kind](artefact), artefact.golden["outputs"]
    except (KeyError, ValueError) as error:
        raise ArtefactError(f"{artefact.path}: {kind} is not complete: {error}") from error
    tolerance = TOLERANCE if kind == "price_lstm" else 0.0
    if got.shape != wanted.shape or not np.allclose(got, wanted, rtol=0.0, atol=tolerance):
        worst = np.abs(got - wanted).max() if got.shape == wanted.shape else np.inf
        raise ArtefactError(
            f"{artefact.path}: golden outputs differ by {worst:.3g}, expected at most {tolerance:g}: "
            "it does not compute here what it did where it was made; train it again"
        )


def network_outputs(weights: dict[str, Array], inputs: Array) -> Array:
    """A network's outputs step by step from no past, shape (n, outputs). Raises: KeyError, ValueError."""
    network = lstm.new_network(weights)
    step = bind(lstm.step, network, inputs[0])
    out = []
    for x in inputs:
        if step(network, x) != lstm.OK:
            raise ValueError("an output is not finite")
        out.append(network["out"][0].copy())
    return np.array(out)


def forest_outputs(weights: dict[str, Array], inputs: Array) -> Array:
    """A forest's outputs, shape (n,). Raises: KeyError, ValueError."""
    trees = forest.new_forest(weights, inputs.shape[1])
    predict = bind(forest.predict, trees)
    out = []
    for x in inputs:
        trees["x"][0, : len(x)] = x
        if predict(trees) != forest.OK:
            raise ValueError("an input is not finite")
        out.append(float(trees["out"][0]))
    return np.array(out)


def table_outputs(weights: dict[str, Array], inputs: Array) -> Array:
    """A table's actions, those of any state that was visited at all, shape (n,). Raises: KeyError, ValueError."""
    policy = q_policy.new_policy(weights, visits_min=1)
    return np.array([q_policy.decide(policy, 0, *(float(v) for v in x)) for x in inputs])


_COMPUTED: Final[dict[str, Callable[[Artefact], Array]]] = {
    "price_lstm": lambda a: network_outputs(a.weights, a.golden["inputs"]),
    "spread_forest": lambda a: forest_outputs(a.weights, a.golden["inputs"]),
    "q_table": lambda a: table_outputs(a.weights, a.golden["inputs"]),
}
