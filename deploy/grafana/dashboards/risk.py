"""Risk and inventory: what is held, what it may cost, and how far each limit is."""

from deploy.grafana.page import Page
from mmd.core.risk.levels import RiskLevel

_WHO = "{{venue}} {{instrument}}"


def risk() -> Page:
    """The page."""
    page = Page(
        "risk", "Risk and inventory", "What is held, what it may cost, and how far each limit is"
    )
    _held(page)
    _limits(page)
    _hedges(page)
    return page


def _held(page: Page) -> None:
    page.lines(
        "Position",
        "At the mid, quote currency",
        "none",
        [("mmd_position_value_quote{$on}", _WHO)],
    )
    page.lines(
        "Value at risk",
        "One day, 95 %, of each position and of all together; expected shortfall beside it",
        "none",
        [
            ("mmd_var_quote{$on}", _WHO),
            ("mmd_expected_shortfall_quote{$on}", f"{_WHO} shortfall"),
            ("mmd_var_portfolio", "together"),
        ],
        span=(0, None),
    )
    page.lines(
        "Time on one side",
        "How long the inventory has been long, or short",
        "s",
        [("mmd_position_age_seconds{$on}", _WHO)],
        span=(0, None),
    )
    page.lines(
        "Half-life of the inventory",
        "From its correlation with itself a minute before, over an hour; none where it does not revert",
        "s",
        [("mmd:inventory_half_life_seconds:1h{$on}", _WHO)],
        span=(0, None),
    )
    page.lines(
        "Exposure",
        "Worst case of orders and positions, reporting currency",
        "none",
        [("mmd_exposure_gross", "gross"), ("mmd_exposure_net", "net")],
    )
    page.lines(
        "Correlation",
        "Of the returns of each pair of instruments",
        "none",
        [("mmd_correlation_ratio", "{{instrument}} / {{other}}")],
        span=(-1, 1),
    )


def _limits(page: Page) -> None:
    page.lines(
        "Headroom over time",
        "Free share of each limit",
        "percentunit",
        [("min by (limit) (mmd_risk_headroom_ratio)", "{{limit}}")],
        steps=((None, "red"), (0.1, "transparent")),
        span=(None, 1),
        size=(12, 9),
    )
    page.lines(
        "Rises of the risk level",
        "By reason, since the session began",
        "short",
        [("mmd_risk_level_rises_total", "{{reason}}")],
        span=(0, None),
        size=(12, 9),
    )
    page.lines(
        "Risk level",
        "1 at the level that holds, from green for NORMAL on",
        "none",
        [(f'mmd_risk_level{{level="{level.name}"}}', level.name) for level in RiskLevel],
        span=(0, 1),
    )
    page.lines(
        "Day",
        "PnL of the day and the fall from its peak, reporting currency",
        "none",
        [("mmd_day_pnl", "PnL"), ("mmd_day_drawdown", "drawdown")],
    )
    page.lines(
        "Orders for each fill",
        "Of the day",
        "none",
        [("mmd_order_to_trade_ratio", "orders for each fill")],
        span=(0, None),
    )
    page.lines(
        "What must be 0",
        "Error of the PnL identity, and our position less the venue's",
        "none",
        [
            ("mmd_pnl_identity_error{$on}", f"{_WHO} PnL"),
            ("mmd_position_drift_atoms{$on}", f"{_WHO} position"),
        ],
        steps=((None, "red"), (0, "green"), (1, "red")),
        size=(6, 8),
    )


def _hedges(page: Page) -> None:
    page.lines(
        "Hedge under way",
        "What is still to be traded, lots of the route's instrument",
        "suffix: lots",
        [("mmd_hedge_remaining_lots{$on}", _WHO)],
        size=(6, 8),
    )
    page.lines(
        "Hedges",
        "Begun, done and late since the session began",
        "short",
        [
            ("sum(mmd_hedges_started_total{$on})", "begun"),
            ("sum(mmd_hedges_done_total{$on})", "done"),
            ("sum(mmd_hedges_late_total{$on})", "late"),
        ],
        span=(0, None),
        size=(6, 8),
    )
    page.lines(
        "Time of the last hedge",
        "From its beginning to its end",
        "s",
        [("mmd_hedge_duration_seconds{$on}", _WHO)],
        span=(0, None),
        size=(6, 8),
    )
