"""What `mmd status` shows: a row for each instrument, and what stands between us and each limit."""

import re

from rich import box
from rich.table import Table

from mmd.ops.state import RiskState, State


def instruments_table(state: State) -> Table:
    """One row per instrument, in eighty columns."""
    about = f"mmd {state.version}, {state.environment}, up {_span(state.uptime_s)}"
    risk = f"risk {state.risk_level} {state.risk_reason}".rstrip()
    table = Table(title=f"{about}, {risk}", box=box.SIMPLE_HEAD, padding=0)
    table.add_column("instrument", overflow="fold", min_width=10)
    table.add_column("state", overflow="fold", min_width=9)
    for name in ("mid", "± bps", "position", "PnL", "fills", "orders", "quoting"):
        table.add_column(name, justify="right", no_wrap=True)
    for i in state.instruments:
        half = "-" if i.half_spread_bps is None else f"{i.half_spread_bps:.2f}"
        shown = i.quote_state if i.reason == "NONE" else f"{i.quote_state}: {i.reason}"
        cells = (i.symbol, shown, f"{i.mid or 0:.8g}", half, f"{float(i.position):.6g}")
        uptime = "-" if i.uptime_ratio is None else f"{i.uptime_ratio:.1%}"
        counts = (str(i.fills), str(len(i.orders)), uptime)
        table.add_row(*cells, f"{i.pnl_total:+.4f}", *counts)
    return table


def risk_table(risk: RiskState, refusals: dict[str, int]) -> Table:
    """What stands between us and each limit, tightest first, and what was refused for it."""
    unit = risk.reporting_currency
    day = "-" if risk.day_pnl is None else f"{risk.day_pnl:+.4f} {unit}"
    table = Table(show_header=False, title="risk", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_row("day", f"{day}, drawdown {risk.day_drawdown or 0:.4f}")
    table.add_row(
        "exposure", f"gross {risk.exposure_gross:.2f}, net {risk.exposure_net:.2f} {unit}"
    )
    table.add_row("order to trade", f"{risk.order_to_trade:.1f}")
    tightest = sorted(risk.headroom.items(), key=lambda item: item[1])
    table.add_row("headroom", ", ".join(f"{_limit(name)} {ratio:.0%}" for name, ratio in tightest))
    for title, counts in (("level rose", risk.level_rises), ("refused", refusals)):
        if counts:
            table.add_row(title, ", ".join(f"{name} {n}" for name, n in counts.items()))
    if risk.blackout is not None:
        table.add_row("blackout", risk.blackout or "active")
    return table


def _limit(name: str) -> str:
    """A limit as words: orders_10s as "orders in 10 s"."""
    spanned = re.fullmatch(r"(.*)_(\d+)s", name)
    what, span = (spanned[1], f" in {_span(float(spanned[2]))}") if spanned else (name, "")
    return what.replace("_", " ") + span


def _span(seconds: float) -> str:
    """Seconds in the largest unit of which there is more than one, or exactly one."""
    for unit, each in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds == each or seconds >= 2 * each:
            return f"{seconds / each:.3g} {unit}"
    return f"{seconds:.0f} s"
