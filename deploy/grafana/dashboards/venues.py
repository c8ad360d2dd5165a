"""Venues and latency: how good each link is, how old what it brings, and what is found between venues."""

from deploy.grafana.page import BPS, Page

_WHO = "{{venue}} {{instrument}}"


def venues() -> Page:
    """The page."""
    page = Page(
        "venues",
        "Venues and latency",
        "How good each link is, how old what it brings, and what is found between venues",
    )
    _feeds(page)
    _books(page)
    _answers(page)
    _between(page)
    return page


def _feeds(page: Page) -> None:
    page.lines(
        "Links",
        "1 while connected: market data, and order entry with account",
        "none",
        [("mmd_feed_up{$on}", f"{_WHO} data"), ("mmd_private_up{$on}", f"{_WHO} orders")],
        span=(0, 1),
    )
    page.lines(
        "Messages",
        "Market data applied, per second",
        "ops",
        [("rate(mmd_feed_messages_total{$on}[1m])", _WHO)],
        span=(0, None),
    )
    page.lines(
        "Age of events",
        "When they come, by the venue's clock; and the venue's clock less ours",
        "s",
        [("mmd_feed_latency_seconds{$on}", _WHO), ("mmd_clock_offset_seconds", "clock offset")],
        steps=((None, "transparent"), (0.5, "red")),
    )


def _books(page: Page) -> None:
    page.lines(
        "Age of the book",
        "Time since it last changed, and from when on it is stale",
        "s",
        [
            ("mmd_book_age_seconds{$on}", _WHO),
            ("mmd_book_age_limit_seconds{$on}", f"{_WHO} limit"),
        ],
        span=(0, None),
    )
    page.lines(
        "Trouble of the feed",
        "Gaps, new snapshots, crossed books and contradictions since the session began",
        "short",
        [
            ("mmd_feed_gaps_total{$on}", "{{venue}} gaps"),
            ("mmd_feed_resyncs_total{$on}", "{{venue}} snapshots"),
            ("mmd_book_crossed_total{$on}", "{{venue}} crossed"),
            ("mmd_book_mismatches_total{$on}", "{{venue}} contradictions"),
        ],
        span=(0, None),
    )
    page.lines(
        "Spread of the market",
        "Best ask less best bid",
        BPS,
        [("mmd_book_spread_bps{$on}", _WHO)],
        span=(0, None),
    )
    page.lines(
        "Depth",
        "Quantity in the best 20 levels, base currency",
        "none",
        [("mmd_book_depth_base{$on}", "{{venue}} {{side}}")],
        span=(0, None),
    )
    page.lines(
        "Imbalance of the book",
        "Bids less asks over their sum, of the best 20 levels",
        "percentunit",
        [("mmd_book_imbalance_ratio{$on}", _WHO)],
        span=(-1, 1),
    )
    page.lines(
        "Books checked",
        "Comparisons of our top 20 with the venue's own, per second",
        "ops",
        [("rate(mmd_book_checks_total{$on}[1m])", _WHO)],
        span=(0, None),
    )


def _answers(page: Page) -> None:
    page.lines(
        "Time to acknowledge an order",
        "From sending it to the venue's word that it is working",
        "s",
        [
            (
                "histogram_quantile(0.5, sum by (venue, le) (rate(mmd_order_ack_seconds_bucket[5m])))",
                "{{venue}} p50",
            ),
            (
                "histogram_quantile(0.99, sum by (venue, le) (rate(mmd_order_ack_seconds_bucket[5m])))",
                "{{venue}} p99",
            ),
        ],
        span=(0, None),
    )
    page.lines(
        "Time to end an order",
        "From asking for its end to that end",
        "s",
        [
            (
                "histogram_quantile(0.5, sum by (venue, le) (rate(mmd_order_cancel_seconds_bucket[5m])))",
                "{{venue}} p50",
            ),
            (
                "histogram_quantile(0.99, sum by (venue, le) (rate(mmd_order_cancel_seconds_bucket[5m])))",
                "{{venue}} p99",
            ),
        ],
        span=(0, None),
    )
    page.lines(
        "Orders on their way",
        "Requests without an answer yet, and orders whose fate is unknown",
        "short",
        [
            ("mmd_orders_in_flight{$on}", f"{_WHO} on their way"),
            ("mmd_orders_unknown{$on}", f"{_WHO} unknown"),
        ],
        span=(0, None),
    )


def _between(page: Page) -> None:
    page.lines(
        "Opportunities between venues",
        "Found, and carried out by how it ended, since the session began",
        "short",
        [
            ("mmd_arbitrage_opened_total", "found"),
            ("mmd_arbitrage_executions_total", "{{outcome}}"),
        ],
        span=(0, None),
    )
    page.lines(
        "What arbitrage came to",
        "Profit expected of executions and realised, reporting currency",
        "none",
        [
            ("mmd_arbitrage_expected_net", "expected"),
            ("mmd_arbitrage_realised_net", "realised"),
        ],
    )
    page.lines(
        "Counted in the consolidated view",
        "1 while a venue's book is good enough",
        "none",
        [("mmd_consolidated_usable{$on}", _WHO)],
        span=(0, 1),
    )
