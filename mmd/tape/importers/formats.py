"""Which formats there are: a name for the command line → its importer, loaded when asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from mmd.tape.importers.source import Importer


class Format(NamedTuple):
    """How a format is told about and found."""

    summary: str
    """One line: what the sources are."""
    module: str
    function: str

    def importer(self) -> "Importer":
        """The function that opens sources of this format."""
        return cast("Importer", getattr(import_module(self.module), self.function))


FORMATS = {
    "binance-csv": Format(
        "data.binance.vision files (.csv or .zip): trades, aggTrades, bookTicker, in any mix",
        "mmd.tape.importers.binance_csv",
        "open_binance_csv",
    ),
    "bitstamp": Format(
        "order-by-order log: lines '<local ms> <kind> <json>' (.log, .xz, .gz)",
        "mmd.tape.importers.bitstamp",
        "open_bitstamp",
    ),
    "etf": Format(
        "Parquet of ten-level snapshots, and optionally one of unsigned trades",
        "mmd.tape.importers.etf",
        "open_etf",
    ),
    "gemini": Format(
        "CSV of best bid and ask each second, and optionally one of trades",
        "mmd.tape.importers.gemini",
        "open_gemini",
    ),
    "hftbacktest": Format(
        "npz or npy of hftbacktest v2 events",
        "mmd.tape.importers.hftbacktest",
        "open_hftbacktest",
    ),
    "lobster": Format(
        "LOBSTER message CSV with its orderbook CSV beside it",
        "mmd.tape.importers.lobster",
        "open_lobster",
    ),
    "nbbo": Format(
        "US equities: zips of one-sided NBBO quote rows, and of trades",
        "mmd.tape.importers.nbbo",
        "open_nbbo",
    ),
    "tardis": Format(
        "Tardis CSV (.csv or .csv.gz): incremental_book_L2, trades, quotes or book_ticker, in any mix",
        "mmd.tape.importers.tardis",
        "open_tardis",
    ),
}
"""Formats that no adapter's codec is needed for; `adapters.registry` has the others."""
