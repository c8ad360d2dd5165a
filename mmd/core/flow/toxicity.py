"""Toxicity: which share of the recent fills of each side and level was adverse, and how far the mid went.

Shares forget: a fill weighs KEEP to the power of how many of its side and level came after it. A verdict that a later
stage replaces is taken out with the weight that it still has.
"""

from typing import Final

from mmd.jit.kernel import Rec, leaf

LEVELS: Final = 8
"""Rungs that are told apart; deeper ones would count as the last."""
KEEP: Final = 0.995
"""Memory of 200 fills."""
SHRINK_FILLS: Final = 20.0
"""The mean of all sides and levels weighs as much as so many fills of one."""

FIELDS: Final = (
    ("cell_fills", "i8", (2, LEVELS)),  # ever judged, by side and level
    ("cell_weight", "f8", (2, LEVELS)),
    ("cell_adverse", "f8", (2, LEVELS)),
    ("cell_moved_weight", "f8", (2, LEVELS)),
    ("cell_moved", "f8", (2, LEVELS)),  # weighted sum of AS over 30 s less the baseline, ticks
    ("all_moved_weight", "f8"),
    ("all_moved", "f8"),
)
"""Of a record that these leaves work on; see `layout`."""


@leaf
def count_fill(a: Rec, side: int, level: int) -> int:
    """Count a fill as not adverse so far; returns its number within side and level."""
    a.cell_weight[side, level] = KEEP * a.cell_weight[side, level] + 1.0
    a.cell_adverse[side, level] *= KEEP
    a.cell_fills[side, level] += 1
    return int(a.cell_fills[side, level])


@leaf
def correct(a: Rec, side: int, level: int, number: int, change: int) -> None:
    """The verdict on the number-th fill has become adverse (1) or is no longer (-1)."""
    weight = KEEP ** (a.cell_fills[side, level] - number)
    a.cell_adverse[side, level] = max(a.cell_adverse[side, level] + change * weight, 0.0)


@leaf
def count_move(a: Rec, side: int, level: int, moved_ticks: float) -> None:
    """A fill's 30 seconds have passed and the mid has moved so far for us (negative: against us)."""
    a.cell_moved_weight[side, level] = KEEP * a.cell_moved_weight[side, level] + 1.0
    a.cell_moved[side, level] = KEEP * a.cell_moved[side, level] + moved_ticks
    a.all_moved_weight = KEEP * a.all_moved_weight + 1.0
    a.all_moved = KEEP * a.all_moved + moved_ticks
