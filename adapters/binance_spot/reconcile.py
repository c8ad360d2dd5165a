"""Finding out, after a connection was (re)made, what happened meanwhile: orders, fills, balances.

Balances and trades come from different servers at different moments, so they are read around each other
(account, orders, trades, account) until nothing moved in between: then Reconciled states holdings that
contain exactly the fills reported before it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog

from adapters.binance_spot.account_state import NO_TRADE, AccountState
from adapters.binance_spot.order_ids import NO_ORDER, decode_id
from adapters.binance_spot.order_replies import ReplyDecoder
from adapters.binance_spot.rejects import CANCEL_REJECTED, NO_SUCH_ORDER
from adapters.binance_spot.rest_api import TRADES_PAGE
from adapters.binance_spot.user_data import UserDataDecoder
from adapters.binance_spot.wire import AccountInfo, MyTrade, OrderReport
from mmd.core.events import Event, Reconciled
from mmd.core.instrument import Instrument
from mmd.core.ports import Clock
from mmd.core.trades_told import TradesTold
from mmd.core.units import ClientOrderId
from mmd.errors import VenueError, VenueUnreachableError

_ATTEMPTS = 8
_PAUSE_S = 0.2
_log = structlog.get_logger()


class AccountApi(Protocol):
    """What is asked of a venue here; `RestApi` asks over HTTP. Everything raises VenueError."""

    async def account(self) -> AccountInfo:
        """Balances."""
        ...

    async def open_orders(self, symbol: str) -> Sequence[OrderReport]:
        """Working orders, whoever placed them."""
        ...

    async def cancel(self, symbol: str, client_order_id: str) -> None:
        """Cancel one order."""
        ...

    async def order(self, symbol: str, venue_order_id: int) -> OrderReport:
        """One order by the venue's id."""
        ...

    async def trades(self, symbol: str, from_id: int) -> Sequence[MyTrade]:
        """A page of trades from an id on."""
        ...

    async def newest_trade(self, symbol: str) -> Sequence[MyTrade]:
        """The latest trade, or nothing."""
        ...


class Reconciler:
    """Reads an account until it is at rest and reports what it found."""

    def __init__(
        self,
        venue: str,
        instruments: Sequence[Instrument],
        api: AccountApi,
        account: AccountState,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Nothing is fetched before `run`; `sleep` is another one where time is virtual."""
        self._sleep = sleep
        self._venue = venue
        self._instruments = instruments
        self._api = api
        self._account = account
        self._clock = clock
        self._user_data = UserDataDecoder(venue, instruments, account)
        self._replies = ReplyDecoder(instruments)
        self._started = False
        self.straggle_s = 0.0
        """How long what an earlier process sent may still be on its way; after that it is taken back, too."""

    async def run(self, emit: Callable[[Event], None]) -> None:
        """Report working orders, missed fills, balances, then Reconciled for every instrument.

        The first run that succeeds cancels the working orders of earlier sessions and starts counting
        trades at the newest one, unless the account was told where to resume: then it reports what was traded
        since. Later runs report our working orders as OrderStatus and leave them alone. Orders of strangers are
        only logged.

        Raises:
            VenueError: the venue could not be asked, or the account never came to rest.
        """
        if not self._started:
            if await self.cancel_own() and self.straggle_s > 0.0:
                await self._sleep(self.straggle_s)
                await self.cancel_own()
            await self._find_first_trades()
        before = await self._api.account()
        for attempt in range(1, _ATTEMPTS + 1):
            orders = {i.id: await self._api.open_orders(i.symbol) for i in self._instruments}
            for instrument in self._instruments:
                await self._report_trades(instrument, emit)
            after = await self._api.account()
            at_rest = after.balances == before.balances
            if at_rest and attempt == _ATTEMPTS and after.update_time < self._account.updated_ms:
                # No lagging server lags this long: the venue itself was set back, as a test venue is by a restart.
                _log.warning("account_set_back", venue=self._venue, update_ms=after.update_time)
                self._account.updated_ms = after.update_time
            if at_rest and after.update_time >= self._account.updated_ms:
                for instrument in self._instruments:
                    self._report_orders(instrument, orders[instrument.id], emit)
                self._report_balances(after, emit)
                self._account.in_sync = self._started = True
                return
            before = after
            await self._sleep(_PAUSE_S)
        raise VenueUnreachableError(
            f"{self._venue}: balances kept changing while they were read: is another program trading?"
        )

    async def own_open_orders(self) -> list[tuple[Instrument, OrderReport]]:
        """Working orders with our prefix, of this session or another."""
        return [
            (instrument, order)
            for instrument in self._instruments
            for order in await self._api.open_orders(instrument.symbol)
            if decode_id(order.client_order_id) is not None
        ]

    async def cancel_own(self) -> bool:
        """Cancel every order of ours, of whichever session, and see that none is left; whether there was any.

        Raises:
            VenueError: the venue could not be asked, or orders stayed.
        """
        for attempt in range(_ATTEMPTS):
            working = await self.own_open_orders()
            if not working:
                return attempt > 0
            for instrument, order in working:
                _log.warning(
                    "cancel_order_left_over",
                    venue=self._venue,
                    symbol=instrument.symbol,
                    client_order_id=order.client_order_id,
                )
                await self._cancel(instrument.symbol, order.client_order_id)
            await self._sleep(_PAUSE_S)
        raise VenueUnreachableError(
            f"{self._venue}: orders of ours are still working after {_ATTEMPTS} attempts to cancel them: "
            "cancel orders whose client id starts with 'mmd' by hand"
        )

    async def _cancel(self, symbol: str, client_order_id: str) -> None:
        try:
            await self._api.cancel(symbol, client_order_id)
        except VenueError as error:
            if error.code != CANCEL_REJECTED:  # -2011: filled or gone meanwhile
                raise

    async def _find_first_trades(self) -> None:
        """Where counting begins: at the newest trade, or after those that an earlier session has on record."""
        for instrument in self._instruments:
            at, account = instrument.id, self._account
            trades = await self._api.newest_trade(instrument.symbol)
            newest = trades[0].id if trades else NO_TRADE
            if account.is_resumed(at):
                if newest >= account.last_trade_id[at]:
                    continue
                # Ids only grow, but where a test venue began anew.
                _log.warning("trades_set_back", venue=self._venue, trade_id=newest)
            account.resume_trades(at, TradesTold(newest))

    async def _report_trades(self, instrument: Instrument, emit: Callable[[Event], None]) -> None:
        """Every trade after the last one reported."""
        while True:
            after = self._account.last_trade_id[instrument.id]
            trades = await self._api.trades(instrument.symbol, after + 1)
            for trade in trades:
                if self._account.is_on_record(instrument.id, trade.id):
                    self._account.read_trades_to(instrument.id, trade.id)
                    continue
                order_id = await self._owner(instrument, trade)
                now_ns = self._clock.monotonic_ns()
                emit(self._user_data.trade(instrument.id, order_id, trade, now_ns))
                self._account.read_trades_to(instrument.id, trade.id)
            if len(trades) < TRADES_PAGE:
                return

    async def _owner(self, instrument: Instrument, trade: MyTrade) -> ClientOrderId:
        """Our id of the order that traded; NO_ORDER for somebody else's."""
        known = self._account.client_id(trade.order_id)
        if known is not None:
            return known
        try:
            order = await self._api.order(instrument.symbol, trade.order_id)
        except VenueError as error:
            if error.code != NO_SUCH_ORDER:
                raise
            return NO_ORDER
        order_id = decode_id(order.client_order_id)
        if order_id is None:
            return NO_ORDER
        self._account.remember(trade.order_id, order_id)
        return order_id

    def _report_orders(
        self,
        instrument: Instrument,
        orders: Sequence[OrderReport],
        emit: Callable[[Event], None],
    ) -> None:
        strangers = self._account.foreign_open[instrument.id]
        strangers.clear()
        for order in orders:
            order_id = decode_id(order.client_order_id)
            if order_id is None:
                strangers.add(order.order_id)
            else:
                self._account.remember(order.order_id, order_id)
                now_ns = self._clock.monotonic_ns()
                emit(self._replies.status(instrument.id, order_id, order, now_ns))
        if strangers:
            _log.warning(
                "foreign_orders_working",
                venue=self._venue,
                symbol=instrument.symbol,
                venue_order_ids=sorted(strangers),
            )

    def _report_balances(self, info: AccountInfo, emit: Callable[[Event], None]) -> None:
        now_ns = self._clock.monotonic_ns()
        held = {}
        for entry in info.balances:
            balance = self._user_data.balance(entry, now_ns)
            held[balance.asset] = balance.free_atoms + balance.locked_atoms
            emit(balance)
        for instrument in self._instruments:
            base_atoms = held.get(instrument.base, 0)
            newest = self._account.last_trade_id[instrument.id]
            emit(Reconciled(now_ns, self._venue, instrument.id, base_atoms, newest))
