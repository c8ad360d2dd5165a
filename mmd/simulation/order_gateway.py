"""An account's way to place orders at the simulated exchange: commands in, what the venue says of them out.

The exchange checks what a venue checks: filters, balances, post-only, open orders, self-trade prevention. A refusal
is the answer to its own request; all else is told by what happened to the order, as a user data stream does.
"""

import functools
from collections.abc import Callable, Iterator, Mapping

from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
)
from mmd.core.events import (
    Balance,
    CancelRejected,
    EndReason,
    Event,
    Fill,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
    RejectReason,
)
from mmd.core.units import ClientOrderId, InstrumentId, Side, TimeInForce
from mmd.exchange.exchange import Exchange, OrderRequest
from mmd.exchange.executions import (
    BalanceChange,
    ExchangeEvent,
    Execution,
    ExecutionKind,
    ExpiryReason,
)
from mmd.exchange.orders import Order, OrderTif, OrderType
from mmd.exchange.refusals import Refusal, Refused

_FORMS = {
    TimeInForce.POST_ONLY: (OrderType.LIMIT_MAKER, OrderTif.GTC),
    TimeInForce.GTC: (OrderType.LIMIT, OrderTif.GTC),
    TimeInForce.IOC: (OrderType.LIMIT, OrderTif.IOC),
    TimeInForce.FOK: (OrderType.LIMIT, OrderTif.FOK),
}
_REASONS = {
    Refusal.WOULD_TAKE: RejectReason.WOULD_TAKE,
    Refusal.UNKNOWN_ORDER: RejectReason.UNKNOWN_ORDER,
    Refusal.NAME_MISMATCH: RejectReason.UNKNOWN_ORDER,
    Refusal.INSUFFICIENT_BALANCE: RejectReason.BALANCE,
    Refusal.DUPLICATE_ORDER: RejectReason.DUPLICATE,
    Refusal.NOT_TRADING: RejectReason.NOT_TRADING,
}
_FILTERS = frozenset(
    {
        Refusal.PRICE_FILTER,
        Refusal.PERCENT_PRICE,
        Refusal.LOT_SIZE,
        Refusal.MARKET_LOT_SIZE,
        Refusal.MAX_POSITION,
        Refusal.NOTIONAL,
        Refusal.MAX_NUM_ORDERS,
    }
)
_NO_CODE = 0


def order_name(number: ClientOrderId) -> str:
    """A client order id as the simulated exchange knows it."""
    return f"{number:x}"


@functools.lru_cache(maxsize=4096)
@functools.lru_cache(maxsize=4_096)
def order_number(name: str) -> ClientOrderId:
    """And back."""
    return ClientOrderId(int(name, 16))


class OrderGateway:
    """One account at one exchange; instruments are the client's numbers, markets the exchange's."""

    def __init__(
        self,
        venue: str,
        account: str,
        exchange: Exchange,
        markets: Mapping[InstrumentId, int],
    ) -> None:
        self.venue = venue
        self.account = account
        self.instruments = {market: instrument for instrument, market in markets.items()}
        self._exchange = exchange
        self.markets = markets
        self._handlers: dict[type[Command], Callable[[Command, int], list[ExchangeEvent]]] = {
            PlaceOrder: self._place,
            ReplaceOrder: self._replace,
            CancelOrder: self._cancel,
            CancelAll: self._cancel_all,
            AmendOrder: self._amend,
        }
        self._answers: list[Event] = []

    def request(self, command: Command, now_ns: int) -> tuple[list[Event], list[ExchangeEvent]]:
        """Carry a command out.

        Returns:
            The answer to the client where it is more than what happened tells, and what happened.
        """
        self._answers = []
        if isinstance(command, QueryOrder):
            self._answers.append(self._status_of(command, now_ns))
            return self._answers, []
        handler = self._handlers.get(type(command))
        happened = [] if handler is None else handler(command, now_ns)
        return self._answers, happened

    def told(self, event: Execution | BalanceChange, now_ns: int) -> Iterator[Event]:
        """What the account's owner hears of something that happened to it."""
        if isinstance(event, BalanceChange):
            for asset, free, locked in event.balances:
                yield Balance(now_ns, self.venue, asset, free, locked)
        elif event.order.instrument in self.instruments:
            yield from self._told_of_order(event, self.instruments[event.order.instrument], now_ns)

    def open_orders(self, now_ns: int) -> Iterator[OrderStatus]:
        """Orders that rest, as a list of open orders has them."""
        for market, instrument in self.instruments.items():
            for order in self._exchange.history.open_orders(self.account, market):
                yield _status(order, instrument, now_ns)

    def trades_after(self, known: Mapping[InstrumentId, int], now_ns: int) -> Iterator[Fill]:
        """Trades of the account that came after the last known trade id of each instrument."""
        for market, instrument in self.instruments.items():
            last = known.get(instrument, 0)
            for trade in self._exchange.history.trades(self.account, market):
                if trade.trade_id > last:
                    yield _fill(trade, instrument, now_ns)

    def balances(self, now_ns: int) -> Iterator[Balance]:
        """Everything that the account holds."""
        account = self._exchange.accounts[self.account]
        for asset, free in account.free.items():
            yield Balance(now_ns, self.venue, asset, free, account.locked.get(asset, 0))

    def _told_of_order(
        self, event: Execution, instrument: InstrumentId, now_ns: int
    ) -> Iterator[Event]:
        number = order_number(event.client_order_id)
        match event.kind:
            case ExecutionKind.NEW:
                order_id = event.order.order_id
                yield OrderAccepted(now_ns, instrument, number, order_id, event.ts_ns)
            case ExecutionKind.TRADE:
                yield _fill(event, instrument, now_ns)
            case ExecutionKind.REJECTED:
                yield OrderRejected(
                    now_ns, instrument, number, RejectReason.OTHER, _NO_CODE, "rejected"
                )
            case ExecutionKind.REPLACED | ExecutionKind.TRADE_PREVENTION if event.is_working:
                yield _status(event.order, instrument, now_ns)
            case _:
                reason = EndReason.CANCELED
                if event.kind is not ExecutionKind.CANCELED:
                    by_self = event.expiry is ExpiryReason.SELF_TRADE
                    reason = EndReason.SELF_TRADE if by_self else EndReason.EXPIRED
                yield OrderEnded(now_ns, instrument, number, reason, event.filled_lots, event.ts_ns)

    def _place(self, command: Command, now_ns: int) -> list[ExchangeEvent]:
        assert isinstance(command, PlaceOrder)
        return self._enter(command, now_ns)

    def _enter(self, command: PlaceOrder | ReplaceOrder, now_ns: int) -> list[ExchangeEvent]:
        try:
            _, events = self._exchange.place(self.account, self._order(command), now_ns)
        except Refused as refused:
            self._refuse_order(command, refused.reason, now_ns)
            return []
        return events

    def _replace(self, command: Command, now_ns: int) -> list[ExchangeEvent]:
        """Check the new order, cancel the old one, place the new one; stops at the first that fails.

        Source: Binance spot API, "Cancel an existing order and send a new order", STOP_ON_FAILURE.
        """
        assert isinstance(command, ReplaceOrder)
        try:
            self._exchange.check_filters(self.account, self._order(command), now_ns)
            canceled = self._end(command.instrument, command.cancel_id, now_ns)
        except Refused as refused:
            self._refuse_change(command.instrument, command.cancel_id, refused.reason, now_ns)
            self._refuse_order(command, refused.reason, now_ns)
            return []
        return canceled + self._enter(command, now_ns)

    def _cancel(self, command: Command, now_ns: int) -> list[ExchangeEvent]:
        assert isinstance(command, CancelOrder)
        try:
            return self._end(command.instrument, command.client_order_id, now_ns)
        except Refused as refused:
            self._refuse_change(command.instrument, command.client_order_id, refused.reason, now_ns)
            return []

    def _cancel_all(self, command: Command, now_ns: int) -> list[ExchangeEvent]:
        market = self.markets[command.instrument]
        if not self._exchange.history.open_orders(self.account, market):
            return []
        _, events = self._exchange.cancel_all(self.account, market, now_ns)
        return events

    def _amend(self, command: Command, now_ns: int) -> list[ExchangeEvent]:
        assert isinstance(command, AmendOrder)
        number = command.client_order_id
        market = self.markets[command.instrument]
        try:
            _, _, events = self._exchange.amend(
                self.account, market, None, order_name(number), command.qty_lots, now_ns
            )
        except Refused as refused:
            self._refuse_change(command.instrument, number, refused.reason, now_ns)
            return []
        return events

    def _end(
        self, instrument: InstrumentId, number: ClientOrderId, now_ns: int
    ) -> list[ExchangeEvent]:
        market, name = self.markets[instrument], order_name(number)
        _, events = self._exchange.cancel(self.account, market, None, name, now_ns)
        return events

    def _status_of(self, command: QueryOrder, now_ns: int) -> OrderStatus:
        market, name = self.markets[command.instrument], order_name(command.client_order_id)
        try:
            order = self._exchange.history.find(self.account, market, None, name)
        except Refused:
            known = is_open = False
            number = command.client_order_id
            return OrderStatus(
                now_ns, command.instrument, number, known, is_open, 0, Side.BUY, 0, 0, 0
            )
        return _status(order, command.instrument, now_ns)

    def _order(self, command: PlaceOrder | ReplaceOrder) -> OrderRequest:
        kind, tif = _FORMS[command.tif]
        return OrderRequest(
            instrument=self.markets[command.instrument],
            client_order_id=order_name(command.client_order_id),
            side=command.side,
            type=kind,
            tif=tif,
            qty_lots=command.qty_lots,
            price_ticks=command.price_ticks,
        )

    def _refuse_order(self, command: PlaceOrder | ReplaceOrder, why: Refusal, now_ns: int) -> None:
        number = command.client_order_id
        self._answers.append(
            OrderRejected(now_ns, command.instrument, number, _reason(why), _NO_CODE, why.value)
        )

    def _refuse_change(
        self, instrument: InstrumentId, number: ClientOrderId, why: Refusal, now_ns: int
    ) -> None:
        self._answers.append(
            CancelRejected(now_ns, instrument, number, _reason(why), _NO_CODE, why.value)
        )


def _reason(why: Refusal) -> RejectReason:
    if why in _FILTERS:
        return RejectReason.FILTER
    return _REASONS.get(why, RejectReason.OTHER)


def _fill(event: Execution, instrument: InstrumentId, now_ns: int) -> Fill:
    return Fill(
        now_ns,
        instrument,
        order_number(event.client_order_id),
        event.order.order_id,
        event.trade_id,
        event.order.side,
        event.last_price_ticks,
        event.last_qty_lots,
        event.is_maker,
        event.fee_atoms,
        event.fee_asset,
        event.ts_ns,
    )


def _status(order: Order, instrument: InstrumentId, now_ns: int) -> OrderStatus:
    known = True
    return OrderStatus(
        now_ns,
        instrument,
        order_number(order.client_order_id),
        known,
        order.is_open,
        order.order_id,
        order.side,
        order.price_ticks,
        order.qty_lots,
        order.filled_lots,
    )
