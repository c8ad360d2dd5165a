"""Prometheus families of the market as it is seen, and of the links to it."""

from collections.abc import Iterator, Sequence

from mmd.core.units import Side
from mmd.ops.family import Family, gauge
from mmd.ops.state import InstrumentState

_LABELS = ("venue", "instrument")
_BPS = 1e4


def market_metrics(instruments: Sequence[InstrumentState]) -> Iterator[Family]:
    """All of them; what needs a two-sided book is left out without one."""
    feed = gauge("mmd_feed_up", "1 while market data is connected", labels=_LABELS)
    private = gauge(
        "mmd_private_up", "1 while order entry and account are connected", labels=_LABELS
    )
    spread = gauge("mmd_book_spread_bps", "Best ask less best bid, bps", labels=_LABELS)
    sided = (*_LABELS, "side")
    depth = gauge("mmd_book_depth_base", "Quantity in the best 20 levels", labels=sided)
    imbalance = gauge(
        "mmd_book_imbalance_ratio",
        "Bids less asks over their sum, of the best 20 levels",
        labels=_LABELS,
    )
    value = gauge(
        "mmd_position_value_quote", "Inventory at the mid, quote currency", labels=_LABELS
    )
    for i in instruments:
        labels, book = (i.venue, i.symbol), i.book
        feed.add_metric(labels, i.is_feed_up)
        private.add_metric(labels, i.is_private_up)
        if i.mid is not None:
            value.add_metric(labels, float(i.position) * i.mid)
        if book.bids and book.asks and i.mid is not None:
            best_bid, best_ask = float(book.bids[0][0]), float(book.asks[0][0])
            spread.add_metric(labels, (best_ask - best_bid) / i.mid * _BPS)
            bids, asks = (sum(float(qty) for _, qty in rows) for rows in (book.bids, book.asks))
            depth.add_metric((*labels, Side.BUY.name), bids)
            depth.add_metric((*labels, Side.SELL.name), asks)
            imbalance.add_metric(labels, (bids - asks) / (bids + asks))
    yield from (feed, private, spread, depth, imbalance, value)
