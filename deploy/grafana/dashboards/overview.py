"""Overview: is it healthy, is it making money, is it inside its limits."""

from deploy.grafana.page import BPS, Page

_HEADROOM = ((None, "red"), (0.1, "orange"), (0.25, "green"))
_YES = ((None, "red"), (1, "green"))


def overview() -> Page:
    """The page."""
    page = Page(
        "overview", "Overview", "Is it healthy, is it making money, is it inside its limits"
    )
    _health(page)
    _money(page)
    _limits(page)
    return page


def _health(page: Page) -> None:
    page.number(
        "Ready",
        "1 while every book is in sync and every account reconciled",
        "bool_yes_no",
        ("min(mmd_ready)", ""),
        steps=_YES,
    )
    page.number(
        "Risk level",
        "The level that holds; NORMAL is quoting",
        "none",
        ("mmd_risk_level == 1", "{{level}}"),
        steps=((None, "text"),),
        is_name=True,
    )
    page.number(
        "Quoted",
        "Share of instruments with orders on both sides, since the session began",
        "percentunit",
        ("avg(mmd_quoting_uptime_ratio{$on})", ""),
        steps=((None, "red"), (0.8, "orange"), (0.95, "green")),
        decimals=1,
    )
    page.number(
        "Alerts",
        "How many fire now; what they mean stands in docs/runbooks.md",
        "short",
        ('count(ALERTS{alertstate="firing"}) or vector(0)', ""),
        steps=((None, "green"), (1, "orange"), (3, "red")),
    )
    page.number(
        "PnL of the day",
        "All instruments, reporting currency, since the day's roll",
        "none",
        ("sum(mmd_day_pnl)", ""),
        steps=((None, "red"), (0, "green")),
        decimals=2,
    )
    page.number(
        "Least headroom",
        "The smallest free share of any limit",
        "percentunit",
        ("min(mmd_risk_headroom_ratio)", ""),
        steps=_HEADROOM,
        decimals=0,
    )
    page.number(
        "Fills, one hour",
        "Trades of ours within the last hour",
        "none",
        ("sum(increase(mmd_fills_total{$on}[1h]))", ""),
        decimals=0,
    )
    page.number(
        "Frame to order, p99",
        "From the first byte of a frame to the bytes of its first order, 99th percentile of five minutes",
        "s",
        ("max(mmd:tick_to_order_seconds:p99_5m)", ""),
        steps=((None, "green"), (0.001, "orange"), (0.005, "red")),
    )


def _money(page: Page) -> None:
    page.lines(
        "PnL",
        "Total of each instrument in its quote currency: realised, unrealised, less fees",
        "none",
        [("mmd_pnl_quote{$on}", "{{venue}} {{instrument}}")],
        size=(12, 8),
    )
    page.lines(
        "PnL by source",
        "Where it comes from; fees are negative, so that the sources add up to the total",
        "none",
        [("sum by (source) (mmd_pnl_source_quote{$on})", "{{source}}")],
        size=(12, 8),
    )
    page.lines(
        "Edge and markout",
        "Distance of our trades from the mid when they happened, and what was left of it 30 s later",
        BPS,
        [
            ("mmd_fill_edge_bps{$on}", "{{venue}} edge"),
            ('mmd_markout_bps{$on,horizon="30s"}', "{{venue}} after 30 s"),
        ],
        steps=((None, "transparent"), (0, "red")),
    )
    page.lines(
        "Volume",
        "Value traded per minute, quote currency",
        "none",
        [
            (
                "60 * sum by (venue, instrument) (rate(mmd_fills_volume_quote_total{$on}[5m]))",
                "{{venue}} {{instrument}}",
            )
        ],
        span=(0, None),
    )
    page.lines(
        "Equity",
        "Cash and positions at the mid, reporting currency; what drawdown is measured on",
        "none",
        [("mmd_equity", "equity")],
    )


def _limits(page: Page) -> None:
    page.bars(
        "Headroom",
        "Free share of each limit: 1 untouched, 0 used up",
        "percentunit",
        ("min by (limit) (mmd_risk_headroom_ratio)", "{{limit}}"),
        steps=_HEADROOM,
        size=(8, 10),
    )
    page.lines(
        "Inventory over its limit",
        "Position of each instrument over its limit, -1 to 1",
        "percentunit",
        [("mmd_inventory_ratio{$on}", "{{venue}} {{instrument}}")],
        steps=((None, "transparent"), (0.9, "red")),
        span=(-1, 1),
        size=(7, 10),
    )
    page.rows(
        "Quote state",
        "What the quoting stage does for each instrument, and why",
        "mmd_quote_state{$on}",
        {"venue": None, "instrument": None, "state": None, "reason": 150},
        size=(9, 10),
    )
