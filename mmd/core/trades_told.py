"""Which trades of an account are on record: what a venue is asked to go on from after a restart."""

import msgspec


class TradesTold(msgspec.Struct, frozen=True):
    """An instrument's trades that earlier sessions journalled."""

    to_id: int
    """All up to this id of the venue's; -1: there were none."""
    later: frozenset[int] = frozenset()
    """Some beyond it: the first of a gap may be missing."""
