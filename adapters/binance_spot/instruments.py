"""exchangeInfo's symbols as Instruments."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from adapters.binance_spot.wire import CommissionRates, ExchangeInfo, SymbolFilter, SymbolInfo
from mmd.core.instrument import Instrument, TradingStatus
from mmd.core.units import InstrumentId
from mmd.errors import InstrumentError

_BPS = 10_000
_UNLIMITED = 2**53
_UNNAMED_MAX = 16
_DIGITS_MAX = 20
"""Before and behind the point. An integer of a hundred thousand digits would take minutes."""
_STATUS = {"TRADING": TradingStatus.TRADING, "CANCEL_ONLY": TradingStatus.CANCEL_ONLY}
GRID_RULES = ("tick_size", "lot_size")
"""Rules whose change makes every price or quantity that we hold mean something else."""
_RULES = (
    *GRID_RULES,
    "price_ticks_min",
    "price_ticks_max",
    "qty_lots_min",
    "qty_lots_max",
    "notional_min",
    "notional_max",
    "price_ratio_up",
    "price_ratio_down",
    "orders_open_max",
)
_NO_RULE = SymbolFilter(filter_type="")


def instruments_of(
    info: ExchangeInfo,
    symbols: Sequence[str],
    venue: str,
    first_id: int,
    fees: CommissionRates,
) -> tuple[Instrument, ...]:
    """Instruments in the order of `symbols` (all where none are named), numbered from `first_id`.

    Raises:
        InstrumentError: a symbol that the venue does not list, rules that make no grid, or no symbols
            named where the venue lists many.
    """
    listed = {s.symbol: s for s in info.symbols}
    if not symbols and len(listed) > _UNNAMED_MAX:
        raise InstrumentError(
            f"{venue} lists {len(listed)} symbols: expected instruments to name some, found none"
        )
    symbols = symbols or list(listed)
    missing = [symbol for symbol in symbols if symbol not in listed]
    if missing:
        raise unknown_symbols(missing, venue)
    return tuple(
        _instrument(listed[symbol], venue, InstrumentId(first_id + index), fees)
        for index, symbol in enumerate(symbols)
    )


def rule_changes(old: Instrument, new: Instrument) -> dict[str, str]:
    """Trading rules that differ, each as 'before -> after'; status, fees and identity are not rules."""
    return {
        name: f"{before} -> {after}"
        for name in _RULES
        if (before := getattr(old, name)) != (after := getattr(new, name))
    }


def unknown_symbols(symbols: Sequence[str], venue: str) -> InstrumentError:
    """The error for symbols that the venue does not list."""
    return InstrumentError(
        f"{venue} lists no {', '.join(symbols)}: expected symbols as in its exchangeInfo, e.g. BTCUSDT"
    )


def _instrument(
    info: SymbolInfo, venue: str, instrument: InstrumentId, fees: CommissionRates
) -> Instrument:
    try:
        return _made(info, venue, instrument, fees)
    except (ArithmeticError, ValueError) as error:
        raise InstrumentError(
            f"{venue} {info.symbol}: expected rules in decimal numbers, found one that is none ({error!r})"
        ) from error


def _made(
    info: SymbolInfo, venue: str, instrument: InstrumentId, fees: CommissionRates
) -> Instrument:
    rules = {f.filter_type: f for f in info.filters}
    price, size = rules.get("PRICE_FILTER", _NO_RULE), rules.get("LOT_SIZE", _NO_RULE)
    tick, lot = _number(price.tick_size), _number(size.step_size)
    if tick <= 0 or lot <= 0:
        raise InstrumentError(
            f"{venue} {info.symbol}: expected a tick and a lot size, found {tick} and {lot}"
        )
    notional_min, notional_max = _notional(rules)
    ratio_down, ratio_up = _price_ratios(rules)
    return Instrument(
        id=instrument,
        venue=venue,
        symbol=info.symbol,
        base=info.base_asset,
        quote=info.quote_asset,
        settle=info.quote_asset,
        tick_size=tick.normalize(),
        lot_size=lot.normalize(),
        price_ticks_min=_steps(price.min_price, tick) or 1,
        price_ticks_max=_steps(price.max_price, tick) or _UNLIMITED,
        qty_lots_min=_steps(size.min_qty, lot) or 1,
        qty_lots_max=_steps(size.max_qty, lot) or _UNLIMITED,
        notional_min=notional_min,
        notional_max=notional_max,
        price_ratio_up=ratio_up,
        price_ratio_down=ratio_down,
        orders_open_max=rules.get("MAX_NUM_ORDERS", _NO_RULE).max_num_orders or 200,
        amends_max=rules.get("MAX_NUM_ORDER_AMENDS", _NO_RULE).max_num_order_amends
        if info.amend_allowed
        else 0,
        maker_fee_bps=float(_number(fees.maker) * _BPS),
        taker_fee_bps=float(_number(fees.taker) * _BPS),
        status=_STATUS.get(info.status, TradingStatus.HALTED),
    )


def _number(text: str) -> Decimal:
    """A decimal that is a price, a quantity or a rate. Raises: ArithmeticError, ValueError."""
    value = Decimal(text)
    if not value.is_finite() or (value != 0 and abs(value.adjusted()) > _DIGITS_MAX):
        raise ValueError(f"{text[:40]} is no price, quantity or rate")
    return value


def _steps(value: str, step: Decimal) -> int:
    """Whole steps in a limit; 0 where the venue states none (a limit of 0 is switched off)."""
    return int(_number(value) / step)


def _notional(rules: Mapping[str, SymbolFilter]) -> tuple[Decimal, Decimal]:
    """Smallest and largest price * quantity. Source: filters.md, NOTIONAL and MIN_NOTIONAL."""
    rule = rules.get("NOTIONAL") or rules.get("MIN_NOTIONAL") or _NO_RULE
    largest = _number(rule.max_notional)
    return _number(rule.min_notional), largest if largest > 0 else Decimal(10) ** 18


def _price_ratios(rules: Mapping[str, SymbolFilter]) -> tuple[float, float]:
    """Lowest and highest price relative to the reference that both sides may use."""
    both = rules.get("PERCENT_PRICE_BY_SIDE")
    if both is not None:
        down = max(float(both.bid_multiplier_down), float(both.ask_multiplier_down))
        return down, min(float(both.bid_multiplier_up), float(both.ask_multiplier_up))
    one = rules.get("PERCENT_PRICE")
    if one is not None:
        return float(one.multiplier_down), float(one.multiplier_up)
    return 0.0, float("inf")
