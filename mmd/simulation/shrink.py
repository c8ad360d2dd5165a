"""Delta debugging: the fewest of many causes that still make something fail.

Source: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28 (2002), algorithm ddmin.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

CauseT = TypeVar("CauseT")


def fewest(
    causes: Sequence[CauseT], fails: Callable[[tuple[CauseT, ...]], bool], runs_max: int
) -> tuple[CauseT, ...]:
    """A subset that fails and of which no single cause can be left out, unless runs_max ends the search before.

    Args:
        causes: all of them, which are known to fail together.
        fails: whether some of them, in their order, fail too; asked runs_max times at most.
        runs_max: the bound.
    """
    kept, parts, runs = tuple(causes), 2, 0
    if runs_max > 0 and kept:
        runs += 1
        if fails(()):
            return ()
    while len(kept) >= 2 and runs < runs_max:
        size = -(-len(kept) // parts)
        smaller = None
        for start in range(0, len(kept), size):
            without = kept[:start] + kept[start + size :]
            if runs == runs_max or not without:
                break
            runs += 1
            if fails(without):
                smaller = without
                break
        if smaller is not None:
            kept, parts = smaller, max(parts - 1, 2)
        elif parts >= len(kept):
            break
        else:
            parts = min(2 * parts, len(kept))
    return kept
