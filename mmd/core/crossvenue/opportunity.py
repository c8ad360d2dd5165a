"""An arbitrage opportunity from the moment that it pays enough to the moment that nothing of it pays any more.

It is opened once its net profit reaches the minimum, and closed when not even the smallest order pays, so that one
that comes and goes round the minimum is one opportunity and counted once.
"""

from collections import deque
from enum import IntEnum
from typing import Final

from mmd.core.crossvenue.depth import Prices, Walk
from mmd.core.units import ATOMS_PER_UNIT

CLOSED_KEPT: Final = 64


class CloseReason(IntEnum):
    """Why an opportunity ended."""

    PRICE = 0
    """It does not pay any more."""
    STALE = 1
    """A book became too old to be relied on."""
    BOOK_DOWN = 2
    """A book was lost, crossed, or its instrument is not traded."""
    NO_RATE = 3
    """Its currencies cannot be converted any more."""


class Opportunity:
    """Buying in one book and selling in another, for as long as that pays.

    Attributes:
        number: counts opportunities of the session from 1.
        buy, sell: instruments.
        opened_ns, updated_ns: engine time; updated when price or size changed.
        closed_ns, reason: None while it is open.
        updates: how often it changed.
        opened_net: net profit when it was opened, in reporting currency, as are the next.
        net, net_max: of now, or just before it closed; and the most that it was.
        walk, prices: what `net` is made of.
    """

    __slots__ = (
        "buy",
        "closed_ns",
        "net",
        "net_max",
        "number",
        "opened_net",
        "opened_ns",
        "prices",
        "reason",
        "sell",
        "updated_ns",
        "updates",
        "walk",
    )

    def __init__(
        self, number: int, buy: int, sell: int, walk: Walk, prices: Prices, now_ns: int
    ) -> None:
        self.number = number
        self.buy = buy
        self.sell = sell
        self.walk = walk
        self.prices = prices
        self.opened_ns = self.updated_ns = now_ns
        self.closed_ns: int | None = None
        self.reason: CloseReason | None = None
        self.updates = 0
        self.net = self.opened_net = self.net_max = walk.net_atoms(prices) / ATOMS_PER_UNIT

    @property
    def edge_bps(self) -> float:
        """Net profit over what is bought."""
        cost = self.walk.bought * self.prices.buy / ATOMS_PER_UNIT
        return self.net / cost * 1e4

    def update(self, walk: Walk, prices: Prices, now_ns: int) -> None:
        """Take in what it has become; the same again changes nothing."""
        if walk == self.walk and prices == self.prices:
            return
        self.walk, self.prices = walk, prices
        self.net = walk.net_atoms(prices) / ATOMS_PER_UNIT
        self.net_max = max(self.net_max, self.net)
        self.updated_ns = now_ns
        self.updates += 1


class Opportunities:
    """Every opportunity of a session: the open ones, and what the closed ones came to.

    Attributes:
        opened: how many there were.
        closed: by CloseReason.
        history: the last CLOSED_KEPT closed ones.
        open: by (buy, sell).
        lifetime_ns: of the closed ones together.
        net: sum of their net profits when they were opened.
    """

    def __init__(self) -> None:
        self.opened = 0
        self.closed = [0] * len(CloseReason)
        self.history: deque[Opportunity] = deque(maxlen=CLOSED_KEPT)
        self.open: dict[tuple[int, int], Opportunity] = {}
        self.lifetime_ns = 0
        self.net = 0.0

    def begin(self, buy: int, sell: int, walk: Walk, prices: Prices, now_ns: int) -> Opportunity:
        """A pair pays enough."""
        assert (buy, sell) not in self.open, "an opportunity is counted once"
        self.opened += 1
        found = Opportunity(self.opened, buy, sell, walk, prices, now_ns)
        self.open[buy, sell] = found
        self.net += found.net
        return found

    def end(self, opportunity: Opportunity, reason: CloseReason, now_ns: int) -> None:
        """A pair does not pay any more, or nobody can tell."""
        del self.open[opportunity.buy, opportunity.sell]
        opportunity.closed_ns, opportunity.reason = now_ns, reason
        self.closed[reason] += 1
        self.lifetime_ns += now_ns - opportunity.opened_ns
        self.history.append(opportunity)
