"""From book, trades and estimates to the inputs of a quote: two fused kernels on the hot path."""

from mmd.core.market.book import CROSSED, ONE_SIDED, apply, apply_top
from mmd.core.market.book import OK as BOOK_OK
from mmd.core.market.features import OK, update
from mmd.core.market.microprice import break_path, centre
from mmd.core.market.others_book import take_out_own
from mmd.core.market.record import TOP
from mmd.core.market.volatility import on_time
from mmd.core.quoting.fair_value import fair_value
from mmd.core.quoting.record import ASK, BID
from mmd.jit.kernel import Rec, kernel

OFI_5S = 7
"""Index of the flow that a forecast is made of, in mmd.core.market.features.NAMES."""


@kernel
def observe(features: Rec, book: Rec, flow: Rec, vol: Rec, touch: Rec, now_ns: int) -> int:
    """Bring features, volatility and touch up to date after a change of the book.

    Returns OK, or NO_TOUCH (best prices as they were) where a side of the view is empty.
    """
    status = update(features, book, flow, vol, now_ns)
    b, t = book[0], touch[0]
    if status != OK:
        break_path(t)
        return status
    on_time(vol, features[0].mid, now_ns)
    features[0].centre = centre(t, b.vpx[0, 0], b.vpx[1, 0], b.vsz[0, 0], b.vsz[1, 0])
    return OK


@kernel
def observe_others(
    features: Rec, book: Rec, flow: Rec, vol: Rec, touch: Rec, own: Rec, now_ns: int
) -> int:
    """`observe` the book without our own orders, an OWN_LEVELS record; NO_TOUCH also where only we are on a side."""
    take_out_own(book, own)
    return observe(features, book, flow, vol, touch, now_ns)


@kernel
def follow(
    features: Rec, book: Rec, flow: Rec, vol: Rec, touch: Rec, own: Rec, market: Rec, now_ns: int
) -> int:
    """Take a SNAPSHOT, DIFF or TOP into the book, and where that changed it, bring what is made of it up to date.

    Returns what `apply` or `apply_top` of mmd.core.market.book do, and ONE_SIDED where only we are on a side.
    """
    status = apply_top(book, market) if market[0].kind == TOP else apply(book, market)
    if (
        status == CROSSED
    ):  # no mid, so nothing may be learned from it: one wrong level would outlive it by minutes
        break_path(touch[0])
        return status
    if status not in (BOOK_OK, ONE_SIDED):
        return status
    is_observed = observe_others(features, book, flow, vol, touch, own, now_ns) == OK
    return ONE_SIDED if status == BOOK_OK and not is_observed else status


@kernel
def prepare(
    quote: Rec,
    features: Rec,
    vol: Rec,
    intensity: Rec,
    position_lots: int,
    limit_lots: int,
    flow_coefficient: float,
) -> int:
    """Write a quote's inputs: mid, sigma, A, k, inventory, room and fair value.

    position_lots is positive when long, limit_lots holds either way; flow_coefficient is in ticks that the
    mid is expected to move per lot of five-second order flow; it is 0 where a model forecasts (quote.forecast), and
    the other way round. Returns what `fair_value` returns.
    """
    q, f, e = quote[0], features[0], intensity[0]
    q.mid = f.mid
    q.sigma = vol[0].sigma
    for side in range(2):
        q.rate[side] = e.rate[side]
        q.decay[side] = e.decay[side]
    q.inventory = position_lots / q.unit_lots
    q.inventory_ratio = position_lots / max(limit_lots, 1)
    q.room_lots[BID] = max(limit_lots - position_lots, 0)
    q.room_lots[ASK] = max(limit_lots + position_lots, 0)
    if q.reduces_only == 1:
        q.room_lots[BID] = min(q.room_lots[BID], max(-position_lots, 0))
        q.room_lots[ASK] = min(q.room_lots[ASK], max(position_lots, 0))
    forecast = flow_coefficient * f.x[OFI_5S] + q.forecast
    return fair_value(quote, f.centre + q.lead_shift, f.x[0], forecast)
