"""What we showed the market: quoted spread against the market's, and time in each quote state."""

from typing import Final

import msgspec
import numpy as np

from mmd.analytics.columns import Flags, Floats, Table
from mmd.core.quoting.quote_state import QuoteReason, QuoteState

_BPS: Final = 1e4


class SpreadStats(msgspec.Struct, frozen=True):
    """Time-weighted, as sampled; None where there was nothing to average.

    Attributes:
        market_bps: best ask less best bid, over mid.
        quoted_bps: our best ask less our best bid, over mid, while both are there.
        two_sided: share of time with both.
        at_best: share of two-sided time with one of ours at or before the market's best.
    """

    market_bps: float | None
    quoted_bps: float | None
    two_sided: float | None
    at_best: float | None


class StateShare(msgspec.Struct, frozen=True):
    """Share of a span in one quote state for one reason."""

    state: str
    reason: str
    share: float


def spread_stats(samples: Table) -> SpreadStats:
    """Average market and quoted spread; each sample counts until the next."""
    seen = samples[:-1]
    waits = np.diff(samples["ts_ns"]).astype(float)
    bid, ask = seen["our_bid_ticks"], seen["our_ask_ticks"]
    is_two_sided = (bid > 0) & (ask > 0)
    is_at_best = is_two_sided & ((bid >= seen["bid_ticks"]) | (ask <= seen["ask_ticks"]))
    everywhere = np.ones(len(seen), np.bool_)
    return SpreadStats(
        _average_bps(seen["ask_ticks"] - seen["bid_ticks"], seen, waits, everywhere),
        _average_bps(ask - bid, seen, waits, is_two_sided),
        _share(waits, is_two_sided, everywhere),
        _share(waits, is_at_best, is_two_sided),
    )


def state_shares(states: Table, end_ns: int) -> list[StateShare]:
    """Time in each (state, reason), largest first; what came before the first decision does not count."""
    lasted_ns = np.diff(np.append(states["ts_ns"], end_ns))
    spent: dict[tuple[int, int], int] = {}
    for state, reason, ns in zip(states["state"], states["reason"], lasted_ns, strict=True):
        spent[int(state), int(reason)] = spent.get((int(state), int(reason)), 0) + int(ns)
    total = sum(spent.values())
    return [
        StateShare(QuoteState(state).name, QuoteReason(reason).name, ns / total)
        for (state, reason), ns in sorted(spent.items(), key=lambda item: -item[1])
        if ns > 0
    ]


def _average_bps(ticks: Floats, samples: Table, waits: Floats, where: Flags) -> float | None:
    weights = waits[where]
    if weights.sum() == 0.0:
        return None
    bps = 2.0 * _BPS * ticks[where] / samples["mid_half_ticks"][where]
    return float(np.average(bps, weights=weights))


def _share(waits: Floats, where: Flags, of: Flags) -> float | None:
    total = float(waits[of].sum())
    return float(waits[where].sum()) / total if total > 0.0 else None
