"""The account side of a venue's REST API at the simulated exchange, in the wire's own types."""

from typing import Final

from adapters.binance_spot.decimal_grid import ATOMS, InstrumentGrids
from adapters.binance_spot.order_ids import decode_id, encode_id
from adapters.binance_spot.rejects import CANCEL_REJECTED, NO_SUCH_ORDER
from adapters.binance_spot.rest_api import TRADES_PAGE
from adapters.binance_spot.wire import AccountBalance, AccountInfo, MyTrade, OrderReport
from mmd.core.commands import CancelOrder
from mmd.core.events import CancelRejected
from mmd.core.instrument import Instrument
from mmd.core.units import Side
from mmd.errors import VenueError
from mmd.exchange.executions import Execution
from mmd.exchange.orders import Order
from mmd.exchange.refusals import Refused
from mmd.simulation.order_gateway import order_number
from mmd.simulation.venue import Client, SimulatedVenue
from mmd.simulation.virtual_rest import at_venue

_MS: Final = 1_000_000


class SimulatedAccountApi:
    """One account; implements `adapters.binance_spot.reconcile.AccountApi`.

    Attributes:
        updated_ms: venue time at which a balance last changed.
    """

    def __init__(
        self, venue: SimulatedVenue, client: Client, instruments: dict[int, Instrument]
    ) -> None:
        """Instruments are the trader's, by the venue's number of the market."""
        self._venue, self._client = venue, client
        self._markets = {i.symbol: market for market, i in instruments.items()}
        self._instruments = instruments
        self._grids = {market: InstrumentGrids(i) for market, i in instruments.items()}
        self.updated_ms = 0

    async def account(self) -> AccountInfo:
        """Balances as they stand."""
        return await at_venue(self._account)

    async def open_orders(self, symbol: str) -> tuple[OrderReport, ...]:
        """Working orders."""
        market = self._markets[symbol]
        history, name = self._venue.exchange.history, self._client.gateway.account
        return await at_venue(
            lambda: tuple(self._report(o, market) for o in history.open_orders(name, market))
        )

    async def cancel(self, symbol: str, client_order_id: str) -> None:
        """Cancel one. Raises: VenueError."""
        number = decode_id(client_order_id)
        assert number is not None, "only our own orders are cancelled"
        at = self._instruments[self._markets[symbol]].id
        await at_venue(lambda: self._cancel(CancelOrder(at, number)))

    async def order(self, symbol: str, venue_order_id: int) -> OrderReport:
        """One order. Raises: VenueError."""
        return await at_venue(lambda: self._find(self._markets[symbol], venue_order_id))

    async def trades(self, symbol: str, from_id: int) -> tuple[MyTrade, ...]:
        """A page of trades from an id on."""
        return await at_venue(
            lambda: tuple(t for t in self._trades(symbol) if t.id >= from_id)[:TRADES_PAGE]
        )

    async def newest_trade(self, symbol: str) -> tuple[MyTrade, ...]:
        """The latest trade, or nothing."""
        return await at_venue(lambda: self._trades(symbol)[-1:])

    def _account(self) -> AccountInfo:
        account = self._venue.exchange.accounts[self._client.gateway.account]
        return AccountInfo(
            balances=tuple(
                AccountBalance(asset, ATOMS.text(free), ATOMS.text(account.locked.get(asset, 0)))
                for asset, free in account.free.items()
            ),
            update_time=self.updated_ms,
        )

    def _cancel(self, command: CancelOrder) -> None:
        answers, _ = self._venue.carry_out(self._client, command)
        if any(isinstance(answer, CancelRejected) for answer in answers):
            raise VenueError("simulated: Unknown order sent.", CANCEL_REJECTED)

    def _find(self, market: int, order_id: int) -> OrderReport:
        history = self._venue.exchange.history
        try:
            found = history.find(self._client.gateway.account, market, order_id, None)
        except Refused as refused:
            raise VenueError("simulated: Order does not exist.", NO_SUCH_ORDER) from refused
        return self._report(found, market)

    def _trades(self, symbol: str) -> tuple[MyTrade, ...]:
        market = self._markets[symbol]
        history, name = self._venue.exchange.history, self._client.gateway.account
        return tuple(_trade(t, self._grids[market]) for t in history.trades(name, market))

    def _report(self, order: Order, market: int) -> OrderReport:
        grids = self._grids[market]
        return OrderReport(
            symbol=grids.symbol,
            order_id=order.order_id,
            client_order_id=encode_id(order_number(order.client_order_id)),
            price=grids.ticks.text(order.price_ticks),
            orig_qty=grids.lots.text(order.qty_lots),
            executed_qty=grids.lots.text(order.filled_lots),
            status="NEW" if order.is_open else "CANCELED",
            side=order.side.name,
        )


def _trade(trade: Execution, grids: InstrumentGrids) -> MyTrade:
    fee = trade.fee_atoms
    return MyTrade(
        id=trade.trade_id,
        order_id=trade.order.order_id,
        price=grids.ticks.text(trade.last_price_ticks),
        qty=grids.lots.text(trade.last_qty_lots),
        commission=("-" if fee < 0 else "") + ATOMS.text(abs(fee)),
        commission_asset=trade.fee_asset,
        time=trade.ts_ns // _MS,
        is_buyer=trade.order.side is Side.BUY,
        is_maker=trade.is_maker,
    )
