"""Explanations and order lives as terminal tables."""

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from mmd.analytics.order_life import OrderLife
from mmd.analytics.quote_explanation import Explanation
from mmd.analytics.quote_terms import TargetPrice

_HIDDEN = frozenset({"mid", "fair", "spread_multiplier", "size_multiplier", "skew_multiplier"})
_UNBOUNDED = 2.0**60


def show_explanation(at: Explanation, console: Console) -> None:
    """Print one instrument at one decision."""
    for line in _facts(at):
        console.print(line, highlight=False)
    console.print(_inputs_table(at))
    for side in ("BUY", "SELL"):
        targets = [t for t in at.targets if t.side == side]
        if targets:
            console.print(_terms_table(at, targets, "bid" if side == "BUY" else "ask"))
    if not at.targets:
        console.print(f"no targets: {at.quote_state}, {at.quote_reason}", highlight=False)
    if not at.is_exact:
        console.print(
            "[red]the terms do not come to every target: this version does not know all of them[/]"
        )
    console.print(_actions_table(at))
    verdicts = ", ".join(f"{name} {count}" for name, count in at.verdicts.items()) or "not asked"
    console.print(f"gate: {verdicts}", highlight=False)
    for command in at.commands:
        console.print(f"sent: {command}", highlight=False)


def _facts(at: Explanation) -> list[str]:
    reasons = f" ({', '.join(at.risk_reasons)})" if at.risk_reasons else ""
    limit = max(at.position_limit_lots, 1)
    lines = [
        f"[bold]{at.venue}:{at.symbol}[/]  {at.time}  engine {at.engine_ns}  decision {at.decision}",
        f"state {at.quote_state}, reason {at.quote_reason}; risk level {at.risk_level}{reasons}; model {at.spread_model}",
        f"position {at.position_lots:+} of {limit} lots ({at.position_lots / limit:+.1%}); book {at.book_age_s:.3f} s old",
        f"bids {_levels(at, at.bids)}",
        f"asks {_levels(at, at.asks)}",
    ]
    for cause, (spread, size, skew) in at.multipliers.items():
        lines.append(f"{cause}: spread x {spread:.3f}, size x {size:.3f}, skew x {skew:.3f}")
    return lines


def _levels(at: Explanation, levels: Sequence[tuple[int, int]]) -> str:
    return "  ".join(f"{_price(at, price)} x {lots}" for price, lots in levels) or "none"


def _price(at: Explanation, ticks: int) -> Decimal:
    return Decimal(ticks) * Decimal(at.tick_size)


def _inputs_table(at: Explanation) -> Table:
    """The record's numbers, a pair as bid and ask; what is zero or unbounded says nothing."""
    table = Table("input", "bid", "ask", title="Inputs (ticks, seconds, order units)")
    if at.alpha_over_eta is not None:
        table.add_row("alpha / eta", *(f"{value:.6g}" for value in at.alpha_over_eta))
    for name, value in at.inputs.items():
        pair = value if isinstance(value, tuple) else (value,)
        if name in _HIDDEN or all(v == 0.0 or abs(v) > _UNBOUNDED for v in pair):
            continue
        table.add_row(name, *(f"{v:.6g}" for v in pair))
    return table


def _terms_table(at: Explanation, targets: Sequence[TargetPrice], side: str) -> Table:
    """A column for each level, a row for each term, the sum below."""
    names = list(dict.fromkeys(t.name for target in targets for t in target.terms))
    names.sort(key=_rank)
    whys = {t.name: t.why for target in reversed(targets) for t in target.terms}
    heads = [f"{side} {target.level}" for target in targets]
    table = Table("term", *heads, "from", title=f"Why this {side}: terms in ticks")
    for name in names:
        cells = [_cell(target, name) for target in targets]
        table.add_row(name, *cells, whys.get(name, ""))
    table.add_section()
    sums = [sum(t.ticks for t in target.terms) for target in targets]
    table.add_row("sum", *(f"{total:.4f}" for total in sums), "ticks")
    prices = [str(_price(at, target.price_ticks)) for target in targets]
    table.add_row("price", *prices, "quote currency")
    table.add_row("size", *(str(target.qty_lots) for target in targets), "lots")
    return table


def _rank(name: str) -> int:
    """Rounding and limits come last, in the order in which they are applied."""
    return {"rounding": 1, "post-only": 2, "a tick apart": 3}.get(name, 0)


def _cell(target: TargetPrice, name: str) -> str:
    value = next((t.ticks for t in target.terms if t.name == name), None)
    if value is None:
        return ""
    return f"{value:.4f}" if name == "mid" else f"{value:+.4f}"


def _actions_table(at: Explanation) -> Table:
    table = Table("action", "side", "level", "price", "lots", title="What the order diff wanted")
    for action in at.actions:
        level = "" if action.level is None else str(action.level)
        price = "" if action.what in ("cancel", "amend") else str(_price(at, action.price_ticks))
        lots = "" if action.what == "cancel" else str(action.qty_lots)
        table.add_row(action.what, action.side, level, price, lots)
    if not at.actions:
        table.add_row("nothing", "", "", "", "")
    return table


def show_life(life: OrderLife, console: Console) -> None:
    """Print one order."""
    console.print(
        f"[bold]order {life.client_order_id}[/] (venue {life.venue_order_id}): {life.symbol} {life.side} "
        f"{life.qty_lots} lots at {life.price_ticks} ticks, level {life.level}, {life.purpose.lower()}",
        highlight=False,
    )
    steps = Table("time", "after", "what", "state", "filled lots")
    began = life.steps[0].engine_ns
    for step in life.steps:
        after = f"{(step.engine_ns - began) / 1e6:.3f} ms"
        steps.add_row(step.time, after, step.what, step.state, str(step.filled_lots))
    console.print(steps)
    for fill in life.fills:
        curve = ", ".join(f"{name} {ticks:+.2f}" for name, ticks in fill.markout_ticks.items())
        console.print(
            f"fill {fill.time}: {fill.qty_lots} lots at {fill.price_ticks}, {'maker' if fill.is_maker else 'taker'}, "
            f"fee {fill.fee_atoms} atoms of {fill.fee_asset}, edge {fill.edge_ticks:+.2f} ticks, "
            f"markout {curve or 'not yet known'}",
            highlight=False,
        )
