"""What is done across venues as people see it: books side by side, opportunities, executions, routes."""

from collections.abc import Mapping

import msgspec

from mmd.core.crossvenue.consolidated import ConsolidatedBook, Row
from mmd.core.crossvenue.cross_venue import CrossVenue
from mmd.core.crossvenue.execution import Execution, Outcome
from mmd.core.crossvenue.opportunity import CloseReason, Opportunity
from mmd.core.crossvenue.routing import Route
from mmd.core.units import ATOMS_PER_UNIT, NANOS_PER_SECOND

SHOWN = 20
_S = NANOS_PER_SECOND


class VenueRowState(msgspec.Struct, frozen=True):
    """One venue's best prices in the reporting currency; None where its currency cannot be converted."""

    venue: str
    symbol: str
    bid: float | None
    ask: float | None
    age_s: float
    feed_latency_s: float | None
    order_latency_s: float
    """Round trip, as measured on our orders; the prior before the first."""
    condition: str


class ConsolidatedState(msgspec.Struct, frozen=True):
    """All venues of one base asset."""

    base: str
    rows: list[VenueRowState]
    best_bid_at: str | None
    """Venue of the best reliable bid."""
    best_ask_at: str | None


class OpportunityState(msgspec.Struct, frozen=True):
    """One arbitrage opportunity; money in the reporting currency."""

    number: int
    buy: str
    sell: str
    opened_s: float
    """After the session began."""
    lasted_s: float
    qty: float
    net: float
    net_max: float
    edge_bps: float
    updates: int
    closed: str | None
    """Why; None while it is open."""


class ExecutionState(msgspec.Struct, frozen=True):
    """One arbitrage that was, or is being, carried out."""

    number: int
    began_s: float
    """After the session began."""
    opportunity: int
    buy: str
    sell: str
    first: str
    stage: str
    outcome: str | None
    planned: float
    bought: float
    sold: float
    expected_net: float
    realised_net: float | None
    orders: int
    took_s: float


class RouteState(msgspec.Struct, frozen=True):
    """One choice of a venue, with its alternatives: (venue, expected cost in bps; None where it was unusable)."""

    at_s: float
    """After the session began."""
    side: str
    qty: float
    chosen: str | None
    costs_bps: list[tuple[str, float | None]]


class CrossVenueState(msgspec.Struct, frozen=True):
    """Everything across venues."""

    reporting_currency: str
    unconverted: list[str]
    """Quote currencies without an instrument to convert by: their pairs are not compared."""
    books: list[ConsolidatedState]
    opened: int
    closed: dict[str, int]
    open_net: float
    """Of the open ones, now."""
    found_net: float
    """Of all, when they were opened."""
    lifetime_s: float | None
    """Mean of the closed ones."""
    executes: bool
    begun: int
    outcomes: dict[str, int]
    held_back: dict[str, int]
    expected_net: float
    realised_net: float
    routed: dict[str, int]
    opportunities: list[OpportunityState]
    """The open ones and the last that closed."""
    executions: list[ExecutionState]
    routes: list[RouteState]


def crossvenue_state(
    cross: CrossVenue | None, started_ns: int, now_ns: int
) -> CrossVenueState | None:
    """As it stands; None where a session, which began at started_ns, has nothing to do across venues."""
    if cross is None:
        return None
    found, executor, router = cross.scanner.opportunities, cross.executor, cross.router
    names = {int(o.id): o.name for o in cross.outlets}
    shown = [*found.open.values(), *list(found.history)[-SHOWN:]]
    closed = sum(found.closed)
    executions = [] if executor is None else [*executor.active, *list(executor.history)[-SHOWN:]]
    return CrossVenueState(
        reporting_currency=cross.reporting,
        unconverted=cross.conversions.unconverted,
        books=[_book(b, now_ns) for b in cross.books],
        opened=found.opened,
        closed={r.name: n for r, n in zip(CloseReason, found.closed, strict=True) if n > 0},
        open_net=sum(o.net for o in found.open.values()),
        found_net=found.net,
        lifetime_s=found.lifetime_ns / _S / closed if closed > 0 else None,
        executes=executor is not None,
        begun=0 if executor is None else executor.begun,
        outcomes={}
        if executor is None
        else {o.name: executor.outcomes[o] for o in Outcome if executor.outcomes[o] > 0},
        held_back={} if executor is None else dict(executor.held_back),
        expected_net=0.0 if executor is None else executor.expected_net,
        realised_net=0.0 if executor is None else executor.realised_net,
        routed={names[k]: n for k, n in router.chosen.items()},
        opportunities=[opportunity_state(o, names, started_ns, now_ns) for o in shown],
        executions=[execution_state(e, started_ns, now_ns) for e in executions],
        routes=[route_state(r, names, started_ns) for r in list(router.routes)[-SHOWN:]],
    )


def _book(book: ConsolidatedBook, now_ns: int) -> ConsolidatedState:
    rows = book.rows(now_ns)
    good = [r for r in rows if r.condition == 0]
    bids = [(r.bid, r.outlet.name) for r in good if r.bid is not None]
    asks = [(r.ask, r.outlet.name) for r in good if r.ask is not None]
    return ConsolidatedState(
        base=book.base,
        rows=[_row(r) for r in rows],
        best_bid_at=max(bids)[1] if bids else None,
        best_ask_at=min(asks)[1] if asks else None,
    )


def _row(row: Row) -> VenueRowState:
    latency_ns, at = row.feed_latency_ns, row.outlet.instrument
    return VenueRowState(
        venue=at.venue,
        symbol=at.symbol,
        bid=row.bid,
        ask=row.ask,
        age_s=row.age_ns / _S,
        feed_latency_s=None if latency_ns is None else latency_ns / _S,
        order_latency_s=row.order_latency_ns / _S,
        condition=row.condition.name,
    )


def opportunity_state(
    o: Opportunity, names: Mapping[int, str], started_ns: int, now_ns: int
) -> OpportunityState:
    """One opportunity as it stands."""
    end_ns = now_ns if o.closed_ns is None else o.closed_ns
    return OpportunityState(
        number=o.number,
        buy=names[o.buy],
        sell=names[o.sell],
        opened_s=(o.opened_ns - started_ns) / _S,
        lasted_s=(end_ns - o.opened_ns) / _S,
        qty=o.walk.qty_atoms / ATOMS_PER_UNIT,
        net=o.net,
        net_max=o.net_max,
        edge_bps=o.edge_bps,
        updates=o.updates,
        closed=None if o.reason is None else o.reason.name,
    )


def execution_state(e: Execution, started_ns: int, now_ns: int) -> ExecutionState:
    """One execution as it stands."""
    end_ns = e.ended_ns if e.outcome is not None else now_ns
    return ExecutionState(
        number=e.number,
        began_s=(e.began_ns - started_ns) / _S,
        opportunity=e.opportunity.number,
        buy=e.pair.buy.name,
        sell=e.pair.sell.name,
        first=e.first.name,
        stage=e.stage.name,
        outcome=None if e.outcome is None else e.outcome.name,
        planned=e.planned_atoms / ATOMS_PER_UNIT,
        bought=e.bought_atoms / ATOMS_PER_UNIT,
        sold=e.sold_atoms / ATOMS_PER_UNIT,
        expected_net=e.expected_net,
        realised_net=None if e.outcome is None else e.realised_net,
        orders=len(e.legs),
        took_s=(end_ns - e.began_ns) / _S,
    )


def route_state(r: Route, names: Mapping[int, str], started_ns: int) -> RouteState:
    """One choice."""
    usable = {c.outlet: c.cost_bps for c in r.candidates if c.cost_bps < float("inf")}
    return RouteState(
        at_s=(r.ts_ns - started_ns) / _S,
        side=r.side.name,
        qty=r.qty_atoms / ATOMS_PER_UNIT,
        chosen=None if r.chosen is None else names[r.chosen],
        costs_bps=[(names[c.outlet], usable.get(c.outlet)) for c in r.candidates],
    )
