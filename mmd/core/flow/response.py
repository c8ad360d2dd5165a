"""How strongly quotes answer to adverse fills: a level between 0 and 1 that adverse fills raise and time lowers.

Each adverse fill adds up to `response_step`; the level halves with the half-life. A verdict that a later stage
replaces is withdrawn with what is left of it, so a fill that turned out well leaves nothing behind.
"""

from typing import Final, NamedTuple

from mmd.jit.kernel import Rec, leaf

STEPS: Final = 20
"""Quotes answer in steps of the level, because every change of size or price costs orders their queue place."""
IMPACT_MODELS: Final = frozenset({"glft", "learned"})
"""Spread models that answer by the impact of a fill; the others by a wider spread."""

FIELDS: Final = (
    ("level_ns", "i8"),  # the level is decayed to
    ("halflife_ns", "f8"),
    ("step", "f8"),
    ("response", "f8"),  # the level
)
"""Of a record that these leaves work on; see `layout`."""


@leaf
def decay(a: Rec, now_ns: int) -> None:
    """Let the level fall to what is left of it now."""
    a.response = level_at(a, now_ns)
    a.level_ns = max(a.level_ns, now_ns)


@leaf
def level_at(a: Rec, now_ns: int) -> float:
    """What will be left of the level then, were nothing to happen."""
    if now_ns > a.level_ns:
        return float(a.response * 0.5 ** ((now_ns - a.level_ns) / a.halflife_ns))
    return float(a.response)


@leaf
def withdraw(a: Rec, given: float, given_ns: int) -> None:
    """Take back what is left of an earlier addition."""
    left = given * 0.5 ** ((a.level_ns - given_ns) / a.halflife_ns)
    a.response = max(a.response - left, 0.0)


@leaf
def give(a: Rec, confidence: float) -> float:
    """Raise the level for one adverse fill; returns by how much."""
    added = min(a.step * confidence, 1.0 - a.response)
    a.response += added
    return float(added)


class Response(NamedTuple):
    """What quotes are multiplied with, and xi in ticks; (1, 1, 0) is none."""

    size_multiplier: float = 1.0
    spread_multiplier: float = 1.0
    impact_ticks: float = 0.0


def response_at(
    level: float,
    *,
    size_multiplier_min: float,
    spread_multiplier_max: float,
    impact_ticks: float | None,
) -> Response:
    """The answer at a level, in whole steps of it: by impact where that is given, else by the spread."""
    level = round(level * STEPS) / STEPS
    size = 1.0 - level * (1.0 - size_multiplier_min)
    if impact_ticks is not None:
        return Response(size, 1.0, level * impact_ticks)
    return Response(size, 1.0 + level * (spread_multiplier_max - 1.0), 0.0)
