"""Why an instrument was quoted as it was: everything that one decision read, computed and did."""

import math
from datetime import UTC, datetime

import msgspec

from mmd.analytics.quote_terms import TargetPrice, target_prices
from mmd.core.engine import Engine
from mmd.core.maker import Maker
from mmd.core.market.features import NAMES
from mmd.core.orders.order_diff import AMEND, CANCEL, LEVEL, OP, PLACE, PX, REPLACE, SIDE, SZ
from mmd.core.quoting.glft import log_alpha_over_eta
from mmd.core.quoting.multipliers import Cause
from mmd.core.risk.reasons import RiskReason
from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.jit.kernel import Rec

_OPS = {PLACE: "place", CANCEL: "cancel", REPLACE: "replace", AMEND: "amend"}
_BOOK_LEVELS = 5
_ARRAYS = frozenset({"n", "px", "sz"})


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One step from the working orders to the targets."""

    what: str
    side: str
    level: int | None
    price_ticks: int
    qty_lots: int


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One of our orders after the decision."""

    client_order_id: str
    side: str
    level: int
    price_ticks: int
    leaves_lots: int
    state: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument at one decision. Prices in ticks, quantities in lots; see QUOTE for the inputs' units."""

    venue: str
    symbol: str
    tick_size: str
    lot_size: str
    decision: int
    engine_ns: int
    time: str
    """UTC."""
    spread_model: str
    quote_state: str
    quote_reason: str
    risk_level: str
    risk_reasons: tuple[str, ...]
    bids: tuple[tuple[int, int], ...]
    """(price, lots) of the best levels that features and quotes were made of."""
    asks: tuple[tuple[int, int], ...]
    book_age_s: float
    features: dict[str, float]
    inputs: dict[str, float | tuple[float, float]]
    """Every number of the QUOTE record that is no target; pairs are (bid, ask)."""
    alpha_over_eta: tuple[float, float] | None
    """What the optimal models' inventory risk follows from, by side."""
    multipliers: dict[str, tuple[float, float, float]]
    """Factors of (spread, size, skew) by cause, where any is not 1."""
    position_lots: int
    position_limit_lots: int
    targets: tuple[TargetPrice, ...]
    actions: tuple[Action, ...]
    verdicts: dict[str, int]
    """What the risk gate said in this decision, of all instruments' commands, and how often."""
    commands: tuple[str, ...]
    """What was sent, as journalled."""
    orders: tuple[OrderRow, ...]

    @property
    def is_exact(self) -> bool:
        """Whether the terms come to every target."""
        return all(target.is_exact for target in self.targets)


class Before(msgspec.Struct, frozen=True):
    """What has to be known of the engine from just before a decision."""

    verdicts: tuple[int, ...]

    @classmethod
    def of(cls, engine: Engine) -> "Before":
        """Take note, and clear what the order diff wrote last: actions of no decision of ours."""
        for maker in engine.makers:
            maker.working["act"] = 0
        return cls(tuple(engine.gate.counts))


def explanations(
    engine: Engine, before: Before, decision: int, commands: tuple[str, ...]
) -> list[Explanation]:
    """Explain each instrument, right after the engine has decided."""
    verdicts = {
        reason.name: engine.gate.counts[reason] - before.verdicts[reason]
        for reason in RiskReason
        if engine.gate.counts[reason] > before.verdicts[reason]
    }
    return [_explanation(engine, maker, decision, verdicts, commands) for maker in engine.makers]


def _explanation(
    engine: Engine, maker: Maker, decision: int, verdicts: dict[str, int], commands: tuple[str, ...]
) -> Explanation:
    spec, view, at = engine.spec, maker.view, maker.instrument
    quote, now_ns = maker.quoter.quote[0], engine.now_ns
    unix_ns = now_ns - spec.started_monotonic_ns + spec.started_unix_ns
    x = view.features[0]["x"]
    bids, asks = (_levels(view.book[0], side) for side in Side)
    return Explanation(
        venue=at.venue,
        symbol=at.symbol,
        tick_size=str(at.tick_size),
        lot_size=str(at.lot_size),
        decision=decision,
        engine_ns=now_ns,
        time=iso_time(unix_ns),
        spread_model=maker.quoter.model.name,
        quote_state=maker.state.name,
        quote_reason=maker.reason.name,
        risk_level=engine.levels.level.name,
        risk_reasons=tuple(reason.name for reason in engine.levels.reasons),
        bids=bids,
        asks=asks,
        book_age_s=(now_ns - view.changed_ns) / NANOS_PER_SECOND if view.changed_ns else math.nan,
        features={name: float(x[i]) for i, (name, _) in enumerate(NAMES)},
        inputs=_inputs(quote),
        alpha_over_eta=_alpha_over_eta(quote),
        multipliers={
            cause.name.lower(): factors
            for cause in Cause
            if (factors := maker.quoter.multipliers.of(cause)) != (1.0, 1.0, 1.0)
        },
        position_lots=maker.ledger.position_lots,
        position_limit_lots=0 if maker.scale is None else maker.scale.position_lots_max,
        targets=tuple(target_prices(maker, spec.quoting)),
        actions=_actions(maker.working[0]),
        verdicts=verdicts,
        commands=commands,
        orders=tuple(_orders(maker)),
    )


def iso_time(unix_ns: int) -> str:
    """UTC with nanoseconds."""
    seconds, ns = divmod(unix_ns, NANOS_PER_SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ns:09d}Z"


def _levels(book: Rec, side: Side) -> tuple[tuple[int, int], ...]:
    n = min(int(book["nview"][side]), _BOOK_LEVELS)
    return tuple(zip(book["vpx"][side, :n].tolist(), book["vsz"][side, :n].tolist(), strict=True))


def _inputs(quote: Rec) -> dict[str, float | tuple[float, float]]:
    found: dict[str, float | tuple[float, float]] = {}
    for name in quote.dtype.names or ():
        if name in _ARRAYS:
            continue
        value = quote[name]
        found[name] = (float(value[0]), float(value[1])) if value.shape == (2,) else float(value)
    return found


def _alpha_over_eta(quote: Rec) -> tuple[float, float] | None:
    gamma, sigma = float(quote["gamma"]), float(quote["sigma"])
    rate, decay = quote["rate"].tolist(), quote["decay"].tolist()
    if not (gamma > 0.0 and min(rate) > 0.0 and min(decay) > 0.0):
        return None
    impact = float(quote["impact"])
    bid, ask = (math.exp(log_alpha_over_eta(gamma, sigma, rate[s], decay[s], impact)) for s in Side)
    return bid, ask


def _actions(working: Rec) -> tuple[Action, ...]:
    found = []
    for row in working["act"].tolist():
        if row[OP] == 0:
            break
        found.append(
            Action(
                what=_OPS[row[OP]],
                side=Side(row[SIDE]).name,
                level=row[LEVEL] if row[LEVEL] >= 0 else None,
                price_ticks=row[PX],
                qty_lots=row[SZ],
            )
        )
    return tuple(found)


def _orders(maker: Maker) -> list[OrderRow]:
    return [
        OrderRow(
            client_order_id=f"{order.client_order_id:x}",
            side=order.side.name,
            level=order.level,
            price_ticks=order.price_ticks,
            leaves_lots=order.leaves_lots,
            state=order.state.name,
        )
        for order in maker.orders
    ]
