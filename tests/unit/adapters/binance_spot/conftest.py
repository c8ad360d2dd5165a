"""Instruments, and reports in the venue's spelling, that the adapter's tests share."""

from decimal import Decimal

import pytest

from mmd.core.commands import PlaceOrder
from mmd.core.instrument import Instrument
from mmd.core.units import InstrumentId, Side, TimeInForce
from tests.unit.adapters.binance_spot.api_line import A, Line


def instrument(number: int, symbol: str, tick: str, lot: str) -> Instrument:
    """A spot instrument quoted in USDT."""
    return Instrument(
        id=InstrumentId(number),
        venue="test",
        symbol=symbol,
        base=symbol.removesuffix("USDT"),
        quote="USDT",
        settle="USDT",
        tick_size=Decimal(tick),
        lot_size=Decimal(lot),
    )


@pytest.fixture(scope="session")
def mmd() -> Instrument:
    """MMDUSDT: tick 0.01, lot 0.001, id 3 (not 0, so that ids are not mistaken for places in a list)."""
    return instrument(3, "MMDUSDT", "0.01", "0.001")


@pytest.fixture(scope="session")
def odd() -> Instrument:
    """ODDUSDT: tick 0.25, lot 10, id 4."""
    return instrument(4, "ODDUSDT", "0.25", "10")


@pytest.fixture
def execution_report():
    """Makes executionReport payloads as documented; arguments replace fields."""

    def make(**fields: object) -> dict[str, object]:
        report = {
            "e": "executionReport",
            "E": 1499405658658,
            "s": "MMDUSDT",
            "c": "mmd5-1",
            "S": "BUY",
            "o": "LIMIT_MAKER",
            "f": "GTC",
            "q": "1.00000000",
            "p": "100.01000000",
            "P": "0.00000000",
            "F": "0.00000000",
            "g": -1,
            "C": "",
            "x": "NEW",
            "X": "NEW",
            "r": "NONE",
            "i": 4293153,
            "l": "0.00000000",
            "z": "0.00000000",
            "L": "0.00000000",
            "n": "0",
            "N": None,
            "T": 1499405658657,
            "t": -1,
            "I": 8641984,
            "w": True,
            "m": False,
            "M": False,
            "O": 1499405658657,
            "Z": "0.00000000",
            "Y": "0.00000000",
            "Q": "0.00000000",
            "W": 1499405658657,
            "V": "NONE",
        }
        assert fields.keys() <= report.keys()
        return report | fields

    return make


@pytest.fixture
def line(mmd) -> Line:
    """A connection whose user data flows."""
    line = Line(mmd)
    line.session.start(0)
    assert not line.session.ready
    line.answer(0, {"subscriptionId": 0})
    assert line.session.ready
    line.sent.clear()
    return line


@pytest.fixture
def place(mmd):
    def make(order_id: int = A) -> PlaceOrder:
        return PlaceOrder(mmd.id, order_id, Side.BUY, 10_000, 5, TimeInForce.POST_ONLY)

    return make
