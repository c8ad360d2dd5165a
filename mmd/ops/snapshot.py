"""Builds a State from the running engine and driver; reads everything, changes nothing."""

import functools
from decimal import Decimal

from mmd.core.engine import Engine
from mmd.core.events import Fill
from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.inventory.pnl import Pnl
from mmd.core.maker import Maker
from mmd.core.market_view import MarketView
from mmd.core.orders.order import Order
from mmd.core.risk.reasons import LevelReason, RiskReason
from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.journal.writer import JournalWriter
from mmd.ops.adverse_state import adverse_state
from mmd.ops.construction_state import construction_state
from mmd.ops.crossvenue_state import crossvenue_state
from mmd.ops.histogram_state import durations_state, latency_state
from mmd.ops.inventory_state import held_state, inventory_state
from mmd.ops.learning_state import learning_state
from mmd.ops.model_state import model_state
from mmd.ops.order_flow_state import order_flow_state
from mmd.ops.prediction_state import prediction_state
from mmd.ops.process_use import ProcessState
from mmd.ops.risk_state import risk_state
from mmd.ops.state import (
    BookState,
    FillState,
    InstrumentState,
    OrderState,
    SourcesState,
    State,
)
from mmd.shell.driver import Driver

FILLS_SHOWN = 50
_HORIZON_NAMES = tuple(f"{ns / NANOS_PER_SECOND:g}s" for ns in HORIZONS_NS)


def session_state(
    engine: Engine,
    driver: Driver,
    journal: JournalWriter,
    now_ns: int,
    process: ProcessState | None = None,
) -> State:
    """The daemon as it stands, without its instruments."""
    spec, levels = engine.spec, engine.levels
    return State(
        version=spec.version,
        environment=spec.environment,
        session=f"{spec.session:08x}",
        uptime_s=(now_ns - spec.started_monotonic_ns) / NANOS_PER_SECOND,
        taken_unix_s=(now_ns - spec.started_monotonic_ns + spec.started_unix_ns) / NANOS_PER_SECOND,
        taken_monotonic_s=now_ns / NANOS_PER_SECOND,
        ready=engine.is_ready,
        risk_level=levels.level.name,
        risk_reason=", ".join(r.name for r in levels.reasons),
        risk_refusals={
            reason.name: engine.gate.counts[reason]
            for reason in RiskReason
            if reason is not RiskReason.OK and engine.gate.counts[reason] > 0
        },
        risk_approvals=engine.gate.counts[RiskReason.OK],
        risk=risk_state(engine, now_ns),
        inventory=inventory_state(engine, now_ns),
        settings_changes=len(engine.settings_changes),
        last_settings_change=dict(engine.settings_changes[-1].changes)
        if engine.settings_changes
        else {},
        decisions=driver.decisions,
        crossvenue=crossvenue_state(engine.crossvenue, spec.started_monotonic_ns, now_ns),
        journal_up=driver.journal_up,
        journal_records=journal.records,
        journal_bytes=journal.bytes_written,
        journal_unsynced_bytes=journal.unsynced_bytes,
        journal_sync=durations_state(journal.sync_times),
        process=process,
        tick_to_order_us=latency_state(driver.tick_to_order),
        stages_us={stage: latency_state(h) for stage, h in driver.stages.items()},
        loop_lag_us=latency_state(driver.loop_lag),
        instruments=[],
    )


def instrument_state(engine: Engine, maker: Maker, now_ns: int) -> InstrumentState:
    """One instrument as it stands."""
    risk, lag_ns = engine.risk, maker.view.lag_ns
    instrument, view, ledger = maker.instrument, maker.view, maker.ledger
    counts, pnl = maker.counts, ledger.pnl
    prices, money = _Prices(maker), _Money(maker)
    return InstrumentState(
        venue=instrument.venue,
        symbol=instrument.symbol,
        quote_state=maker.state.name,
        reason=maker.reason.name,
        mid=prices.mid,
        fair=prices.fair,
        half_spread_bps=prices.half_spread_bps,
        skew_bps=prices.skew_bps,
        sigma_bps=prices.sigma_bps,
        rate=prices.rate,
        decay_per_bps=prices.decay_per_bps,
        position=_plain(ledger.position_atoms),
        inventory_ratio=_inventory_ratio(maker),
        average_cost=None if pnl is None or pnl.position.vwap is None else float(pnl.position.vwap),
        pnl_total=money.total,
        pnl_realised=money.realised,
        pnl_unrealised=money.unrealised,
        fees=money.fees,
        edge=money.edge,
        identity_error=0 if pnl is None else pnl.identity_error,
        sources=SourcesState() if pnl is None else _sources(pnl),
        position_drift_atoms=_drift_atoms(engine, maker),
        orders_sent=counts.sent,
        orders_acked=counts.acked,
        orders_rejected=counts.rejected,
        orders_canceled=counts.canceled,
        orders_unknown=maker.orders.unknown_count,
        orders_owing_fills=len(maker.orders.owed_fills()),
        fills=ledger.fill_count,
        fills_maker=ledger.maker_count,
        fills_while_down=ledger.early_count,
        book=_book(maker, now_ns),
        orders=[_order(maker, o) for o in maker.orders],
        last_fills=_last_fills(maker),
        markout_bps=_markouts(maker, _ticks_per_bps(maker)),
        feed_latency_s=None if lag_ns is None else risk.latency_ns(lag_ns) / NANOS_PER_SECOND,
        uptime_ratio=maker.uptime.ratio,
        adverse_streak=maker.adverse.streak,
        order_flow=order_flow_state(maker),
        funding_rate=maker.funding.rate,
        is_feed_up=view.is_up,
        is_private_up=maker.is_private_up,
        adverse=adverse_state(maker),
        prediction=prediction_state(maker, now_ns),
        learning=learning_state(maker),
        construction=construction_state(maker, now_ns),
        model=model_state(maker),
        held=held_state(engine, maker.instrument.id),
        base=instrument.base,
        quote=instrument.quote,
        tick_size=str(instrument.tick_size),
    )


def _drift_atoms(engine: Engine, maker: Maker) -> int:
    """By the last reconciliation; once a balance between two of them has raised the level, by the last balance."""
    ledger = maker.ledger
    if engine.levels.is_active(LevelReason.POSITION_DRIFT):
        return ledger.stated_drift_atoms
    return ledger.drift_atoms


class _Prices:
    """Where an instrument is quoted and what that rests on, in quote currency and basis points; None: unknown."""

    def __init__(self, maker: Maker) -> None:
        view, quoter = maker.view, maker.quoter
        tick, per_bps = float(maker.instrument.tick_size), _ticks_per_bps(maker)
        quote, intensity = quoter.quote[0], quoter.intensity[0]
        is_scaled = maker.scale is not None
        is_quoting = is_scaled and quoter.fair_ticks > 0
        self.mid = view.mid_half_ticks / 2 * tick if view.mid_half_ticks > 0 else None
        self.fair = quoter.fair_ticks * tick if is_quoting else None
        self.half_spread_bps = float(quote["offset"].mean()) / per_bps if is_quoting else None
        self.skew_bps = float(quote["skew"]) / per_bps if is_quoting else None
        self.sigma_bps = float(view.vol["sigma"][0]) / per_bps if is_scaled else None
        rate, decay = intensity["rate"], intensity["decay"]
        self.rate = (float(rate[0]), float(rate[1]))
        self.decay_per_bps = (float(decay[0]) * per_bps, float(decay[1]) * per_bps)


class _Money:
    """An instrument's money as floats in quote currency, for display only."""

    def __init__(self, maker: Maker) -> None:
        self.total = self.realised = self.unrealised = self.fees = self.edge = 0.0
        pnl = maker.ledger.pnl
        if pnl is not None:
            position, decimal = pnl.position, pnl.position.money.decimal
            self.total = float(decimal(pnl.total_units))
            self.realised = float(decimal(position.realised_units))
            self.unrealised = float(decimal(position.unrealised_units(pnl.mid_half_ticks)))
            self.fees = float(decimal(position.fee_units))
            self.edge = float(decimal(pnl.attribution.edge_units))


def _sources(pnl: Pnl) -> SourcesState:
    decimal = pnl.position.money.decimal
    return SourcesState(*(float(decimal(units)) for units in pnl.sources))


def _ticks_per_bps(maker: Maker) -> float:
    return 1.0 if maker.scale is None else maker.scale.ticks_per_bps


def _inventory_ratio(maker: Maker) -> float:
    if maker.scale is None or maker.scale.position_lots_max == 0:
        return 0.0
    return maker.ledger.position_lots / maker.scale.position_lots_max


def _book(maker: Maker, now_ns: int) -> BookState:
    view: MarketView = maker.view
    book = view.book[0]
    return BookState(
        synced=view.is_synced,
        update_id=int(book["last"]),
        age_s=(now_ns - view.changed_ns) / NANOS_PER_SECOND if view.changed_ns else 0.0,
        age_s_max=maker.pace.age_ns_max / NANOS_PER_SECOND,
        messages_per_s=maker.message_storm.per_s,
        bids=top_levels(maker, Side.BUY),
        asks=top_levels(maker, Side.SELL),
        messages=view.messages,
        gaps=view.gaps,
        resyncs=view.resyncs,
        crossed=view.crossed,
        checks=view.checks,
        mismatches=view.mismatches,
    )


def top_levels(maker: Maker, side: Side) -> list[tuple[str, str]]:
    """(price, quantity) of the depth book's best 20 levels as exact decimals, best first."""
    book, instrument = maker.view.book[0], maker.instrument
    n = int(book["ntop"][side])
    rows = zip(book["px"][side, :n].tolist(), book["sz"][side, :n].tolist(), strict=True)
    return [(str(instrument.price(px)), str(instrument.qty(sz))) for px, sz in rows]


def _order(maker: Maker, order: Order) -> OrderState:
    instrument = maker.instrument
    return OrderState(
        client_order_id=f"{order.client_order_id:x}",
        side=order.side.name,
        price=str(instrument.price(order.price_ticks)),
        qty=str(instrument.qty(order.qty_lots)),
        filled=str(instrument.qty(order.filled_lots)),
        state=order.state.name,
        level=order.level,
    )


def _plain(atoms: int) -> str:
    """Atoms as a decimal number of units, without an exponent or trailing zeros."""
    return f"{Decimal(atoms).scaleb(-8).normalize():f}"


def _last_fills(maker: Maker) -> list[FillState]:
    steps = maker.instrument.tick_size, maker.instrument.lot_size
    return [_fill(fill, *steps) for fill in list(maker.ledger.fills)[-FILLS_SHOWN:]]


@functools.lru_cache(maxsize=1024)
def _fill(fill: Fill, tick_size: Decimal, lot_size: Decimal) -> FillState:
    """A fill never changes, and is shown hundreds of times."""
    return FillState(
        trade_id=fill.trade_id,
        side=fill.side.name,
        price=str(fill.price_ticks * tick_size),
        qty=str(fill.qty_lots * lot_size),
        is_maker=fill.is_maker,
        fee=_plain(fill.fee_atoms),
        fee_asset=fill.fee_asset,
        ts_event_ns=fill.ts_event_ns,
    )


def _markouts(maker: Maker, per_bps: float) -> dict[str, float | None]:
    """Mean edge plus move after the fill, both sides together, by horizon."""
    markouts = maker.ledger.markouts
    sides = [markouts.curve(Side.BUY), markouts.curve(Side.SELL)]
    edges = [markouts.edge_ticks(Side.BUY), markouts.edge_ticks(Side.SELL)]
    out: dict[str, float | None] = {}
    for horizon, name in enumerate(_HORIZON_NAMES):
        total = fills = 0.0
        for curve, edge in zip(sides, edges, strict=True):
            at = curve[horizon]
            if at.adverse_ticks is not None and edge is not None:
                total += at.fills * (edge + at.adverse_ticks)
                fills += at.fills
        out[name] = total / fills / per_bps if fills > 0 else None
    return out
