"""Faults of learned models: artefacts that are damaged or say what cannot be, put into a running daemon's registry."""

import numpy as np

from models.artefact import Artefact, write_artefact
from models.registry import Registry
from models.serving import registry_at
from tests.e2e.test_model_swap import KIND, changed
from tests.monitoring.stack import Stack

FOLDER = "models"
SETTINGS = (f"models.folder={FOLDER}", "models.watch_ms=2000")
"""A registry of the session's own, looked at seldom enough for an artefact to be damaged meanwhile."""
SINK = 0.25
SHOUT = 1e6
RISE = (3.0, 0.0, 2.0)
"""Added to change, log volatility and logit of each horizon: every bar is the beginning of a rise."""
JUDGED = 70
"""Forecasts that detectors of drift have to have seen come true before they notice that anything changed."""
BALLAST_VALUES = 60_000_000
"""Of four bytes each."""


def damage(stack: Stack) -> None:
    """A champion is promoted, and its file then damaged."""
    registry = _registry(stack)
    name = _scaled(registry, SINK)
    registry.promote(name)
    (registry.path(name) / "weights.npz").write_bytes(b"")


def shout(stack: Stack) -> None:
    """A champion is promoted that says what cannot be."""
    registry = _registry(stack)
    registry.promote(_scaled(registry, SHOUT))


def be_judged(stack: Stack) -> None:
    """Wait until the detectors know the champion of now."""
    stack.until(
        lambda s: s["instruments"][0]["learning"]["drift"]["forecasts_judged"] >= JUDGED, 180
    )


def expect_rises(stack: Stack) -> None:
    """A champion is promoted that expects the mid to rise, always."""
    registry = _registry(stack)
    champion = _champion(registry)
    bias = champion.weights["bo"]
    factors = (bias + np.tile(RISE, len(bias) // len(RISE))) / bias
    registry.promote(changed(registry, champion, bo=factors))


def swell(stack: Stack) -> None:
    """A champion is promoted that brings an array of 240 MB along, which nobody asked for."""
    registry = _registry(stack)
    champion = _champion(registry)
    weights = champion.weights | {"ballast": np.zeros(BALLAST_VALUES, np.float32)}
    network = {"network.pt": b"none"}
    made = write_artefact(registry.folder, champion.manifest, weights, champion.golden, network)
    registry.promote(made.name)


def roll_back(stack: Stack) -> None:
    """The champion before this one is champion again."""
    _registry(stack).rollback(KIND)


def _scaled(registry: Registry, by: float) -> str:
    """The champion of now with its last weights multiplied."""
    return changed(registry, _champion(registry), wo=by)


def _champion(registry: Registry) -> Artefact:
    champion = registry.champion(KIND)
    assert champion is not None, "a network is shipped"
    return champion


def _registry(stack: Stack) -> Registry:
    return registry_at(stack.daemon.folder / FOLDER)
