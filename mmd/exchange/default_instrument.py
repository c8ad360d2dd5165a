"""The instrument that the embedded exchange trades unless a tape names another."""

from decimal import Decimal

from mmd.core.instrument import Instrument
from mmd.core.units import InstrumentId

_QUOTE = "USDT"


def synthetic_instrument(
    symbol: str, venue: str, maker_fee_bps: float, taker_fee_bps: float, number: int = 0
) -> Instrument:
    """A liquid made-up pair near 100.00: tick 0.01, lot 0.001, at least 5 of quote per order."""
    base = symbol.removesuffix(_QUOTE)
    return Instrument(
        id=InstrumentId(number),
        venue=venue,
        symbol=symbol,
        base=base,
        quote=_QUOTE,
        settle=_QUOTE,
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.001"),
        price_ticks_max=100_000_000,
        qty_lots_max=9_000_000_000,
        notional_min=Decimal(5),
        notional_max=Decimal(9_000_000),
        maker_fee_bps=maker_fee_bps,
        taker_fee_bps=taker_fee_bps,
    )
