"""Whether a model computes on this machine what it computed where it was made, and how long it takes."""

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from mmd.core.learned import forest, lstm, q_policy
from mmd.errors import ArtefactError
from mmd.jit.kernel import bind
from models.artefact import Artefact

TOLERANCE: Final = 1e-5
"""Of a network's outputs: those made while compilers might reorder its sums differ. Trees and tables must be equal."""
Array = np.ndarray[Any, Any]
Step = Callable[[Array], Any]
"""Computes the outputs of one bar from its inputs. Raises: ValueError."""


def check_golden(artefact: Artefact) -> None:
    """Compute the golden outputs again. Raises: ArtefactError where they come out differently."""
    kind = artefact.manifest.kind
    try:
        got, wanted = (
            _outputs(_step_of(artefact), artefact.golden["inputs"]),
            artefact.golden["outputs"],
        )
    except (KeyError, ValueError) as error:
        raise ArtefactError(f"{artefact.path}: {kind} is not complete: {error}") from error
    tolerance = TOLERANCE if kind == "price_lstm" else 0.0
    if got.shape != wanted.shape or not np.allclose(got, wanted, rtol=0.0, atol=tolerance):
        worst = np.abs(got - wanted).max() if got.shape == wanted.shape else np.inf
        raise ArtefactError(
            f"{artefact.path}: golden outputs differ by {worst:.3g}, expected at most {tolerance:g}: "
            "it does not compute here what it did where it was made; train it again"
        )


def step_cost_ns(artefact: Artefact) -> int:
    """Processor time of a bar on this machine: the least of the golden inputs', of an artefact that has been checked."""
    step = _step_of(artefact)
    costs = []
    for x in artefact.golden["inputs"]:
        began_ns = time.thread_time_ns()
        step(x)
        costs.append(time.thread_time_ns() - began_ns)
    return min(costs)


def check_cost(artefact: Artefact, most_ns: float) -> int:
    """What a bar costs, in ns. Raises: ArtefactError where that is more than `most_ns`."""
    cost_ns = step_cost_ns(artefact)
    if cost_ns > most_ns:
        raise ArtefactError(
            f"{artefact.path.name} takes {cost_ns / 1e3:,.0f} us of processor time a bar and instrument, expected at most "
            f"{most_ns / 1e3:,.0f}: train a smaller one, or raise models.busy_share_max"
        )
    return cost_ns


def network_outputs(weights: dict[str, Array], inputs: Array) -> Array:
    """A network's outputs step by step from no past, shape (n, outputs). Raises: KeyError, ValueError."""
    return _outputs(network_step(weights, inputs[0]), inputs)


def forest_outputs(weights: dict[str, Array], inputs: Array) -> Array:
    """A forest's outputs, shape (n,). Raises: KeyError, ValueError."""
    return _outputs(forest_step(weights, inputs.shape[1]), inputs)


def table_outputs(weights: dict[str, Array], inputs: Array) -> Array:
    """A table's actions, those of any state that was visited at all, shape (n,). Raises: KeyError, ValueError."""
    return _outputs(table_step(weights), inputs)


def network_step(weights: dict[str, Array], x: Array) -> Step:
    """A network without a past; `x` is any inputs. Raises: KeyError, ValueError."""
    network = lstm.new_network(weights)
    bound = bind(lstm.step, network, x)

    def step(x: Array) -> Array:
        if bound(network, x) != lstm.OK:
            raise ValueError("an output is not finite")
        out: Array = network["out"][0].copy()
        return out

    return step


def forest_step(weights: dict[str, Array], inputs: int) -> Step:
    """A forest over so many inputs. Raises: KeyError, ValueError."""
    trees = forest.new_forest(weights, inputs)
    predict = bind(forest.predict, trees)

    def step(x: Array) -> float:
        trees["x"][0, : len(x)] = x
        if predict(trees) != forest.OK:
            raise ValueError("an input is not finite")
        return float(trees["out"][0])

    return step


def table_step(weights: dict[str, Array]) -> Step:
    """A table. Raises: KeyError, ValueError."""
    policy = q_policy.new_policy(weights, visits_min=1)
    return lambda x: q_policy.decide(policy, 0, *(float(v) for v in x))


def _outputs(step: Step, inputs: Array) -> Array:
    return np.array([step(x) for x in inputs])


def _step_of(artefact: Artefact) -> Step:
    inputs = artefact.golden["inputs"]
    if artefact.manifest.kind == "price_lstm":
        return network_step(artefact.weights, inputs[0])
    if artefact.manifest.kind == "spread_forest":
        return forest_step(artefact.weights, inputs.shape[1])
    return table_step(artefact.weights)
