"""What a backtest assumes of the world: queue, latencies, fees, account, clock."""

from decimal import Decimal

import msgspec

from mmd.exchange.fills.fee_tiers import FeeTier
from mmd.exchange.fills.latency import Latency, constant

_MS = 1_000_000
_END_OF_TIME_NS = 2**63 - 1


class BacktestSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Assumptions of one run; times in ns of the tape's clock."""

    queue: str = "risk_averse"
    queue_exponent: float = 3.0
    """n of the power forms."""
    feed: Latency = constant(0)
    """From the exchange to us; on top of what was recorded where by_event is set."""
    entry: Latency = constant(_MS)
    """From us to the exchange."""
    response: Latency = constant(_MS)
    """And back."""
    decision_cost_ns: int = 0
    """How long a decision takes: its commands leave that much later, and no other begins before."""
    timer_ns: int = 100 * _MS
    by_event: bool = False
    """The exchange's clock is the venue's event time and the feed delay the recorded one."""
    fees: FeeTier | None = None
    """None: those in the tape's header."""
    balances: dict[str, Decimal] = {}
    """By asset; empty: twice the position limit in quote, and as much base as that buys."""
    seed: int = 7
    start_ns: int = 0
    end_ns: int = _END_OF_TIME_NS
