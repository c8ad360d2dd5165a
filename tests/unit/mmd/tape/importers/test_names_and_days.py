"""What file names and symbols tell: days, midnights across clock changes, assets; and places."""

from datetime import date
from pathlib import Path

import pytest

from mmd.errors import TapeError
from mmd.tape.importers.midnights import day_of, midnight_ns
from mmd.tape.importers.pairs import split_pair
from mmd.tape.importers.places import Places


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2012, 6, 21), 4), (date(2012, 1, 21), 5), (date(2024, 3, 10), 5)]
)
def test_midnight_in_new_york(day: date, hours: int) -> None:
    """Behind UTC by four hours in summer and five in winter."""
    utc = (day - date(1970, 1, 1)).days * 86_400
    assert midnight_ns(day, "America/New_York") == (utc + hours * 3_600) * 10**9


@pytest.mark.parametrize(
    "name", ["AAPL_2012-06-21_34200000_57600000_message_10.csv", "20120621_bac.csv"]
)
def test_days_stand_in_names(name: str) -> None:
    """With or without dashes, never out of a longer number; what is given goes before."""
    assert day_of(Path(name), name, None) == date(2012, 6, 21)
    assert day_of(Path(name), name, date(2020, 1, 1)) == date(2020, 1, 1)


@pytest.mark.parametrize("name", ["data.csv", "id1234567890.csv", "2012-13-45.csv"])
def test_names_without_a_day_are_refused(name: str) -> None:
    """The option that helps is named."""
    with pytest.raises(TapeError, match="pass --day"):
        day_of(Path(name), name, None)


@pytest.mark.parametrize(
    ("symbol", "pair"),
    [
        ("BTCUSDT", ("BTC", "USDT")),
        ("BTC-USD", ("BTC", "USD")),
        ("XBT/EUR", ("XBT", "EUR")),
        ("ETHUSD_PERP", ("ETH", "USD")),
        ("AAPL", ("AAPL", "USD")),
        ("ethbtc", ("ETH", "BTC")),
    ],
)
def test_symbols_split_into_assets(symbol: str, pair: tuple[str, str]) -> None:
    """By a separator or a known quote."""
    assert split_pair(symbol) == pair


def test_places_name_file_and_line() -> None:
    """As one integer in between."""
    places = Places([Path("a.csv"), Path("b.csv")], unit="row")
    assert places.told(places.at(1, 12_345_678)) == "b.csv: row 12345678"
