"""The integers that everything inside mmd is counted in, and the enums of an order.

Prices are ticks, quantities lots, time nanoseconds, money atoms. Decimals appear only in configuration,
on the wire and in reports; codecs convert once and refuse what is off the grid.
"""

from enum import IntEnum
from typing import NewType

Ticks = NewType("Ticks", int)
Lots = NewType("Lots", int)
Nanos = NewType("Nanos", int)
InstrumentId = NewType("InstrumentId", int)
"""Index of an instrument in the session's list of instruments."""
ClientOrderId = NewType("ClientOrderId", int)
"""63 bits: session in the upper 31, a sequence from 1 in the lower 32. Venues encode it their way.

One int64, so that journal and kernels carry it as it is; a session is the second in which it began.
"""

ATOMS_PER_UNIT = 10**8
"""Balances and fees are counted in 1e-8 of an asset, as spot venues do."""
NANOS_PER_SECOND = 1_000_000_000
_SEQUENCE_BITS = 32
SESSION_MAX = 2**31 - 1


class Side(IntEnum):
    """Also the row of a side in every kernel record."""

    BUY = 0
    SELL = 1

    @property
    def sign(self) -> int:
        """+1 if the position grows, -1 if it shrinks."""
        return 1 - 2 * self.value

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side(1 - self.value)


class TimeInForce(IntEnum):
    """How long an order may rest. POST_ONLY rests until cancelled and never takes."""

    POST_ONLY = 0
    GTC = 1
    IOC = 2
    FOK = 3


def client_order_id(session: int, sequence: int) -> ClientOrderId:
    """The id of a session's sequence-th order."""
    return ClientOrderId(session << _SEQUENCE_BITS | sequence)


def session_of(order_id: ClientOrderId) -> int:
    """Upper half: which run of the daemon placed the order."""
    return order_id >> _SEQUENCE_BITS


def sequence_of(order_id: ClientOrderId) -> int:
    """Lower half: the how-manyth order of its session this is."""
    return order_id & ((1 << _SEQUENCE_BITS) - 1)
