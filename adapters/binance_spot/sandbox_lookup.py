"""Which markets a request means: by symbol, by a list of symbols, by status; and how to write their numbers."""

import msgspec

from adapters.binance_spot.sandbox_errors import ApiError, api_error
from adapters.binance_spot.sandbox_numbers import WireNumbers
from adapters.binance_spot.sandbox_params import Params
from adapters.binance_spot.sandbox_reports import Reports
from mmd.core.instrument import TradingStatus
from mmd.exchange.exchange import Exchange
from mmd.exchange.market import Market
from mmd.exchange.refusals import Refused

STATUS_NAMES = {
    TradingStatus.TRADING: "TRADING",
    TradingStatus.CANCEL_ONLY: "CANCEL_ONLY",
    TradingStatus.HALTED: "BREAK",
}


class Lookup:
    """Markets of one exchange by what a request says. Raises: ApiError, as the venue would answer."""

    def __init__(self, exchange: Exchange, reports: list[Reports]) -> None:
        self.exchange = exchange
        self.reports = reports

    def numbers(self, market: Market) -> WireNumbers:
        """How a market's prices and quantities are written."""
        return self.reports[market.instrument.id].numbers

    def market(self, params: Params) -> Market:
        """The market that `symbol` names. Raises: ApiError -1102, -1121."""
        return self._named(params.text("symbol"))

    def markets(self, params: Params) -> list[Market]:
        """The markets that `symbol`, `symbols` and `symbolStatus` leave; all if none was sent.

        Raises: ApiError -1121, -1128, -1135, -1151, -1220.
        """
        status = self._status(params)
        if params.optional("symbol") is not None:
            if params.optional("symbols") is not None:
                raise ApiError(-1128, "Combination of optional parameters invalid.")
            market = self.market(params)
            if status not in {None, STATUS_NAMES[market.status]}:
                raise ApiError(
                    -1220, "The symbol's status does not match the requested symbolStatus."
                )
            return [market]
        chosen = self._listed(params)
        return [m for m in chosen if status in {None, STATUS_NAMES[m.status]}]

    def _listed(self, params: Params) -> list[Market]:
        text = params.optional("symbols")
        if text is None:
            return self.exchange.markets
        try:
            names = msgspec.json.decode(text, type=list[str])
        except (msgspec.DecodeError, msgspec.ValidationError):
            raise ApiError(-1135, "JSON sent for parameter 'symbols' is not valid") from None
        if len(set(names)) != len(names):
            raise ApiError(-1151, "Symbol is present multiple times in the list.")
        return [self._named(name) for name in names]

    def _named(self, symbol: str) -> Market:
        try:
            return self.exchange.market(symbol)
        except Refused as refused:
            raise api_error(refused.reason) from None

    def _status(self, params: Params) -> str | None:
        text = params.optional("symbolStatus")
        if text is not None and text not in {*STATUS_NAMES.values(), "HALT"}:
            raise ApiError(-1122, "Invalid symbolStatus.")
        return text
