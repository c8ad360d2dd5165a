"""What a run amounted to, as written by --summary and printed at the end."""

import msgspec
from rich.console import Console
from rich.table import Table

from mmd.core.risk.levels import RiskLevel, RiskLevels
from mmd.core.risk.reasons import LevelReason
from mmd.ops.crossvenue_state import CrossVenueState
from mmd.ops.histogram_state import LatencyState
from mmd.ops.state import SourcesState, State


class FeedSummary(msgspec.Struct, frozen=True):
    """How the books fared."""

    messages: int
    gaps: int
    resyncs: int
    book_checks: int
    book_mismatches: int


class OrdersSummary(msgspec.Struct, frozen=True):
    """What became of our orders."""

    sent: int
    acked: int
    rejected: int
    canceled: int
    unknown: int


class FillsSummary(msgspec.Struct, frozen=True):
    """Our trades."""

    count: int
    maker: int


class PnlSummary(msgspec.Struct, frozen=True):
    """Quote currency, summed over instruments; identity_error is in exact integer units."""

    total: float
    realised: float
    unrealised: float
    fees: float
    identity_error: int
    sources: SourcesState = SourcesState()
    """The total by source."""


class LatencySummary(msgspec.Struct, frozen=True):
    """Bytes of the first market message of a batch to the bytes of its first order, and each stage."""

    tick_to_order: LatencyState
    stages: dict[str, LatencyState]


class RiskSummary(msgspec.Struct, frozen=True):
    """Where the gate stood when the end was wanted; breaches counts rises of the level before that."""

    level: str
    breaches: int
    refusals: dict[str, int]


class ReconciliationSummary(msgspec.Struct, frozen=True):
    """Our picture less the venue's, at the end."""

    position_drift: int
    open_orders_left: int


class ArbitrageSummary(msgspec.Struct, frozen=True):
    """Opportunities between venues and what trading on them came to, in the reporting currency."""

    opportunities: int
    found_net: float
    executions: dict[str, int]
    expected_net: float
    realised_net: float


class Summary(msgspec.Struct, frozen=True):
    """One run."""

    version: str
    environment: str
    session: str
    instruments: list[str]
    duration_s: float
    startup_s: float
    """Process start to first quote; compilation not counted."""
    compile_s: float
    decisions: int
    feed: FeedSummary
    orders: OrdersSummary
    fills: FillsSummary
    pnl: PnlSummary
    latency_us: LatencySummary
    risk: RiskSummary
    reconciliation: ReconciliationSummary
    journal: str
    arbitrage: ArbitrageSummary | None = None
    """None where there was nothing to look for."""


class RunFacts(msgspec.Struct, frozen=True):
    """What only the application knows of a run."""

    duration_s: float
    startup_s: float
    compile_s: float
    risk_level: str
    breaches: int
    open_orders_left: int
    journal: str


def summarise(state: State, facts: RunFacts) -> Summary:
    """Sum a final State over its instruments."""
    rows = state.instruments
    return Summary(
        version=state.version,
        environment=state.environment,
        session=state.session,
        instruments=[f"{i.venue}:{i.symbol}" for i in rows],
        duration_s=facts.duration_s,
        startup_s=facts.startup_s,
        compile_s=facts.compile_s,
        decisions=state.decisions,
        feed=FeedSummary(
            messages=sum(i.book.messages for i in rows),
            gaps=sum(i.book.gaps for i in rows),
            resyncs=sum(i.book.resyncs for i in rows),
            book_checks=sum(i.book.checks for i in rows),
            book_mismatches=sum(i.book.mismatches for i in rows),
        ),
        orders=OrdersSummary(
            sent=sum(i.orders_sent for i in rows),
            acked=sum(i.orders_acked for i in rows),
            rejected=sum(i.orders_rejected for i in rows),
            canceled=sum(i.orders_canceled for i in rows),
            unknown=sum(i.orders_unknown for i in rows),
        ),
        fills=FillsSummary(sum(i.fills for i in rows), sum(i.fills_maker for i in rows)),
        pnl=PnlSummary(
            total=sum(i.pnl_total for i in rows),
            realised=sum(i.pnl_realised for i in rows),
            unrealised=sum(i.pnl_unrealised for i in rows),
            fees=sum(i.fees for i in rows),
            identity_error=sum(abs(i.identity_error) for i in rows),
            sources=_sources(state),
        ),
        latency_us=LatencySummary(state.tick_to_order_us, state.stages_us),
        risk=RiskSummary(facts.risk_level, facts.breaches, state.risk_refusals),
        reconciliation=ReconciliationSummary(
            sum(abs(i.position_drift_atoms) for i in rows), facts.open_orders_left
        ),
        journal=facts.journal,
        arbitrage=None if state.crossvenue is None else _arbitrage(state.crossvenue),
    )


def _arbitrage(cross: CrossVenueState) -> ArbitrageSummary:
    return ArbitrageSummary(
        cross.opened, cross.found_net, cross.outcomes, cross.expected_net, cross.realised_net
    )


def _arbitrage_line(found: ArbitrageSummary) -> str:
    ended = ", ".join(f"{n} {outcome.lower()}" for outcome, n in found.executions.items())
    traded = f"{ended}: {found.realised_net:+.4f} of {found.expected_net:+.4f} expected"
    return (
        f"{found.opportunities} opportunities worth {found.found_net:+.4f} when found; "
        f"{traded if ended else 'none executed'}"
    )


def _sources(state: State) -> SourcesState:
    """PnL by source, summed over instruments as the rest is."""
    each = [msgspec.structs.astuple(i.sources) for i in state.instruments]
    return SourcesState(*(sum(values) for values in zip(*each, strict=True)))


def show(summary: Summary, console: Console) -> None:
    """Print the one-page summary."""
    table = Table(
        title=f"mmd {summary.version}: {', '.join(summary.instruments)} for {summary.duration_s:.1f} s",
        show_header=False,
    )
    feed, orders, fills, pnl = summary.feed, summary.orders, summary.fills, summary.pnl
    t2o, left = summary.latency_us.tick_to_order, summary.reconciliation
    table.add_row("feed", f"{feed.messages:,} messages, {feed.gaps} gaps, {feed.resyncs} resyncs")
    table.add_row(
        "book", f"{feed.book_checks:,} checks against the venue, {feed.book_mismatches} mismatches"
    )
    table.add_row(
        "orders",
        f"{orders.sent:,} sent, {orders.acked:,} acked, {orders.rejected:,} rejected, {orders.canceled:,} canceled, {orders.unknown} unknown",
    )
    table.add_row("fills", f"{fills.count:,}, {fills.maker:,} as maker")
    table.add_row(
        "PnL",
        f"{pnl.total:+.4f} total = {pnl.realised:+.4f} realised {pnl.unrealised:+.4f} unrealised; fees {pnl.fees:.4f}; identity error {pnl.identity_error}",
    )
    by = pnl.sources
    table.add_row(
        "PnL by source",
        f"spread {by.spread:+.4f}, drift {by.drift:+.4f}, hedging {by.hedging:+.4f}, arbitrage {by.arbitrage:+.4f}, rebates {by.rebates:+.4f}, fees {0.0 - by.fees:+.4f}"
        + (f", funding {by.funding:+.4f}" if by.funding != 0.0 else ""),
    )
    if summary.arbitrage is not None:
        table.add_row("arbitrage", _arbitrage_line(summary.arbitrage))
    table.add_row(
        "tick to order",
        f"p50 {t2o.p50:.0f} µs, p99 {t2o.p99:.0f} µs over {t2o.count:,} batches that sent orders"
        if t2o.count > 0
        else "no batch sent an order",
    )
    table.add_row("risk", f"{summary.risk.level}, raised {summary.risk.breaches} times")
    table.add_row(
        "reconciliation",
        f"position drift {left.position_drift} atoms, {left.open_orders_left} open orders left",
    )
    first = f"first quote after {summary.startup_s:.1f} s" if orders.sent > 0 else "no quote"
    table.add_row("start", f"{first}, compilation {summary.compile_s:.1f} s apart")
    table.add_row("journal", summary.journal)
    console.print(table)


def level_when_stopped(levels: RiskLevels) -> RiskLevel:
    """The risk level that held when the end was wanted: stopping itself raises it."""
    stops = (c.before for c in levels.history if c.reason is LevelReason.STOP)
    return next(stops, levels.level)


def breaches(levels: RiskLevels) -> int:
    """Rises of the level before the end was wanted."""
    return sum(c.after > c.before for c in levels.history if c.reason is not LevelReason.STOP)
