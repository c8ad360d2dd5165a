"""Raw frames recorded from Binance (spot, USD-M, COIN-M) as normalised tape actions, and their grid.

Used are depth diffs, trades and REST depth snapshots; bookTicker, markPrice and other streams are not.
Futures trades that did not happen on the book (insurance fund, ADL) are dropped by their type `X`.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from mmd.core.instrument import Grid, Instrument
from mmd.core.units import InstrumentId, Side
from mmd.errors import TapeError
from mmd.exchange.tape_actions import Levels, TapeAction, TapeDiff, TapeSnapshot, TapeTrade
from mmd.tape.raw_frames import RawFrame, read_frames

_QUOTES = ("FDUSD", "USDT", "USDC", "BTC", "ETH", "EUR", "USD", "BNB", "TRY")
_UNITS = 8  # decimals in which grids are inferred: no Binance price or quantity is finer
_IGNORED = (b"@bookTicker", b"@markPrice")
_HEAD = 120  # the stream's name is in the first bytes of a frame

_Rows = list[tuple[str, str]]


class _Data(msgspec.Struct):
    """The union of the fields of depthUpdate and trade, which share letters."""

    e: str = ""
    s: str = ""
    U: int = -1
    u: int = -1
    pu: int = -1
    b: _Rows = []
    a: _Rows = []
    t: int = -1
    p: str = ""
    q: str = ""
    m: bool = False
    X: str = "MARKET"


class _Frame(msgspec.Struct):
    """A combined-stream frame, or a REST snapshot: which of them tells lastUpdateId."""

    stream: str = ""
    data: _Data | None = None
    lastUpdateId: int = -1  # noqa: N815 - the venue's name
    bids: _Rows = []
    asks: _Rows = []


_decoder = msgspec.json.Decoder(_Frame)


def actions(paths: Sequence[Path], instrument: Instrument) -> Iterator[TapeAction]:
    """Read recordings, one after the other, as actions on the instrument's grid.

    Raises: TapeError for a line that is no frame of these venues or has a number off the grid.
    """
    to_levels = _LevelScan(instrument.grid)
    for frame in read_frames(paths):
        if any(name in frame.payload[:_HEAD] for name in _IGNORED):
            continue
        action = _action(frame, instrument.symbol, to_levels)
        if action is not None:
            yield action


class _LevelScan:
    """Decimal strings to ticks and lots by integers; recent strings are remembered, as prices recur."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._ticks: dict[str, int] = {}

    def ticks(self, text: str) -> int:
        """Price text in ticks."""
        found = self._ticks.get(text)
        if found is None:
            if len(self._ticks) > 100_000:
                self._ticks.clear()
            found = self._ticks[text] = steps(text, self._grid.price_scale, self._grid.price_step)
        return found

    def lots(self, text: str) -> int:
        """Quantity text in lots."""
        return steps(text, self._grid.size_scale, self._grid.size_step)

    def levels(self, rows: _Rows) -> Levels:
        """Rows of a book message."""
        ticks, scale, step = self.ticks, self._grid.size_scale, self._grid.size_step
        return [(ticks(p), steps(q, scale, step)) for p, q in rows]


def steps(text: str, scale: int, step: int) -> int:
    """A decimal text as a whole number of steps of step * 10**-scale.

    Raises: TapeError if it is not a number or off the grid.
    """
    whole, _, fraction = text.partition(".")
    kept, rest = fraction[:scale], fraction[scale:]
    if not (whole.isdecimal() and (fraction.isdecimal() or not fraction)):
        raise TapeError(f"expected a decimal number without sign, found {text!r}")
    value = int(whole + kept + "0" * (scale - len(kept)))
    if value % step or rest.strip("0"):
        raise TapeError(
            f"{text} is not a multiple of {step}e-{scale}: the recording's grid changed"
        )
    return value // step


def _decoded(frame: RawFrame) -> _Frame:
    try:
        return _decoder.decode(frame.payload)
    except msgspec.DecodeError as error:
        raise TapeError(f"frame at {frame.ts_ns} ns is not Binance JSON: {error}") from error


def _action(frame: RawFrame, symbol: str, scan: _LevelScan) -> TapeAction | None:
    message = _decoded(frame)
    if message.lastUpdateId >= 0:
        bids, asks = scan.levels(message.bids), scan.levels(message.asks)
        return TapeSnapshot(frame.ts_ns, message.lastUpdateId, bids, asks)
    data = message.data
    if data is None or data.s != symbol:
        return None
    if data.e == "depthUpdate":
        prev = data.pu if data.pu >= 0 else data.U - 1
        # Futures ids are shared by all symbols and jump; pu chains them, so the first id is prev + 1 there.
        first = data.U if data.pu < 0 else prev + 1
        return TapeDiff(frame.ts_ns, first, data.u, prev, scan.levels(data.b), scan.levels(data.a))
    if data.e == "trade" and data.X == "MARKET":
        side = Side.SELL if data.m else Side.BUY
        qty = scan.lots(data.q)
        return TapeTrade(frame.ts_ns, data.t, side, scan.ticks(data.p), qty) if qty > 0 else None
    return None


def infer_instrument(paths: Sequence[Path], venue: str = "binance_spot") -> Instrument:
    """Read the recordings once and derive symbol, assets, tick and lot (greatest common divisors).

    Raises: TapeError if no depth or trade frame names a symbol, or more than one does.
    """
    symbols: set[str] = set()
    prices: set[str] = set()
    qtys: set[str] = set()
    for frame in read_frames(paths):
        if any(name in frame.payload[:_HEAD] for name in _IGNORED):
            continue
        message = _decoded(frame)
        if message.data is not None and message.data.s:
            symbols.add(message.data.s)
            if message.data.p and message.data.X == "MARKET":
                prices.add(message.data.p)
                qtys.add(message.data.q)
            rows = (message.data.b, message.data.a)
        else:
            rows = (message.bids, message.asks)
        for side in rows:
            for price, qty in side:
                prices.add(price)
                qtys.add(qty)
    if len(symbols) != 1:
        names = ", ".join(sorted(symbols)) or "none"
        raise TapeError(f"{paths[0]}: expected frames of one symbol, found {names}")
    return _instrument(symbols.pop(), _divisor(prices), _divisor(qtys), venue)


def _divisor(texts: Iterable[str]) -> Decimal:
    """Greatest common divisor of decimal texts; 1e-8 where all are zero."""
    units = math.gcd(*(steps(t, _UNITS, 1) for t in texts))
    return Decimal(max(units, 1)).scaleb(-_UNITS)


def _instrument(symbol: str, tick: Decimal, lot: Decimal, venue: str) -> Instrument:
    base, quote = split_symbol(symbol)
    return Instrument(
        id=InstrumentId(0),
        venue=venue,
        symbol=symbol,
        base=base,
        quote=quote,
        settle=quote,
        tick_size=tick.normalize(),
        lot_size=lot.normalize(),
    )


def split_symbol(symbol: str) -> tuple[str, str]:
    """Base and quote of a symbol by its known quote suffix. Raises: TapeError if none fits."""
    pair = symbol.upper().split("_", 1)[0]
    for quote in _QUOTES:
        if pair.endswith(quote) and len(pair) > len(quote):
            return pair.removesuffix(quote), quote
    raise TapeError(f"{symbol}: expected a symbol ending in {', '.join(_QUOTES)}")
