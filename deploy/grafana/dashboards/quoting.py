"""Quoting and fills: where our orders stand, why, and who takes them."""

from deploy.grafana.page import BPS, PER_MINUTE, Page

_WHO = "{{venue}} {{instrument}}"
_NONE = 'label_replace(vector(0), "reason", "none", "", "")'
"""A line at 0 where nothing was refused."""


def quoting() -> Page:
    """The page."""
    page = Page("quoting", "Quoting and fills", "Where our orders stand, why, and who takes them")
    _prices(page)
    _quotes(page)
    _orders(page)
    _fills(page)
    return page


def _prices(page: Page) -> None:
    page.lines(
        "Mid and fair value",
        "What the book says and what we take for the price, quote currency",
        "none",
        [("mmd_mid_price{$on}", f"{_WHO} mid"), ("mmd_fair_price{$on}", f"{_WHO} fair")],
        size=(12, 8),
    )
    page.lines(
        "Distance of our orders from the mid",
        "By side and rung of the ladder; the market's own half spread beside it",
        BPS,
        [
            ("mmd_quote_distance_bps{$on}", "{{venue}} {{side}} {{ladder_level}}"),
            ("mmd_book_spread_bps{$on} / 2", "{{venue}} market"),
        ],
        span=(0, None),
        size=(12, 8),
    )


def _quotes(page: Page) -> None:
    page.lines(
        "Half spread and break-even",
        "Half spread of rung 0, and the one that just pays the maker fee",
        BPS,
        [
            ("mmd_half_spread_bps{$on}", f"{_WHO}"),
            ("mmd_break_even_bps{$on}", f"{_WHO} break-even"),
        ],
        span=(0, None),
    )
    page.lines(
        "Skew",
        "How far quotes lean against the inventory",
        BPS,
        [("mmd_skew_bps{$on}", _WHO)],
    )
    page.lines(
        "Volatility",
        "Per square-root second, fast and slow",
        BPS,
        [("mmd_sigma_bps{$on}", _WHO), ("mmd_sigma_slow_bps{$on}", f"{_WHO} slow")],
        span=(0, None),
    )
    page.lines(
        "Changes of the quote state",
        "How often each state was entered for each reason, since the session began",
        "short",
        [
            (
                "sum by (state, reason) (mmd_quote_state_changes_total{$on})",
                "{{state}} {{reason}}",
            )
        ],
        span=(0, None),
    )
    page.lines(
        "Quoted on both sides",
        "Share of the time, since the session began",
        "percentunit",
        [("mmd_quoting_uptime_ratio{$on}", _WHO)],
        steps=((None, "red"), (0.95, "green")),
        span=(0, 1),
    )
    page.lines(
        "Orders left alone",
        "Share of decisions that moved no order, at least: keeps the place in the queue",
        "percentunit",
        [("mmd:quote_keep_ratio:rate5m", "kept")],
        span=(0, 1),
    )


def _orders(page: Page) -> None:
    page.lines(
        "Orders",
        "Sent, taken back and refused, per second",
        "ops",
        [
            ("sum(rate(mmd_orders_sent_total{$on}[1m]))", "sent"),
            ("sum(rate(mmd_orders_requoted_total{$on}[1m]))", "taken back"),
            ("sum(rate(mmd_orders_rejected_total{$on}[1m]))", "refused"),
        ],
        span=(0, None),
    )
    page.lines(
        "Refused by the venue",
        "By reason, per minute; WOULD_TAKE is the price of post-only",
        PER_MINUTE,
        [("60 * sum by (reason) (rate(mmd_order_rejects_total[5m]))", "{{reason}}")],
        span=(0, None),
    )
    page.lines(
        "Refused by our risk gate",
        "By reason, per second",
        "ops",
        [
            (
                f"sum by (reason) (rate(mmd_risk_refusals_total[1m])) > 0 or {_NONE}",
                "{{reason}}",
            )
        ],
        span=(0, None),
    )


def _fills(page: Page) -> None:
    page.lines(
        "Fills",
        "Per minute",
        PER_MINUTE,
        [("60 * rate(mmd_fills_total{$on}[5m])", _WHO)],
        span=(0, None),
    )
    page.lines(
        "Bought and sold",
        "Value per minute, quote currency: equal where inventory comes back by itself",
        "none",
        [
            (
                "60 * sum by (side) (rate(mmd_fills_volume_quote_total{$on}[5m]))",
                "{{side}}",
            )
        ],
        span=(0, None),
    )
    page.lines(
        "Fills as maker",
        "Share of our trades",
        "percentunit",
        [
            (
                "sum by (venue, instrument) (mmd_fills_maker_total{$on}) / sum by (venue, instrument) (mmd_fills_total{$on})",
                _WHO,
            )
        ],
        span=(0, 1),
    )
