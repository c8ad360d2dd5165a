"""Faults of learned models: artefacts that are damaged or say what cannot be, put into a running daemon's registry."""

from models.registry import Registry
from models.serving import registry_at
from tests.e2e.test_model_swap import KIND, changed
from tests.monitoring.stack import Stack

FOLDER = "models"
SETTINGS = (f"models.folder={FOLDER}", "models.watch_ms=2000")
"""A registry of the session's own, looked at seldom enough for an artefact to be damaged meanwhile."""
SINK = 0.25
SHOUT = 1e6


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


def roll_back(stack: Stack) -> None:
    """The champion before this one is champion again."""
    _registry(stack).rollback(KIND)


def _scaled(registry: Registry, by: float) -> str:
    """The champion of now with its last weights multiplied."""
    champion = registry.champion(KIND)
    assert champion is not None, "a network is shipped"
    return changed(registry, champion, wo=by)


def _registry(stack: Stack) -> Registry:
    return registry_at(stack.daemon.folder / FOLDER)
