"""The exchange side of a backtest: requests in, events out, our account and fees in between.

The market is a recording (mmd.exchange.fills.matching); requests are answered as a real venue answers them:
post-only orders that would take are refused, cancels race fills, funds are locked, fees are taken out of what
is received. Events state the exchange's time; when they become known is the caller's business.
"""

from collections.abc import Callable, Iterator
from functools import partial

from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
    ResyncBook,
)
from mmd.core.events import (
    CancelRejected,
    EndReason,
    Event,
    Fill,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
    Reconciled,
    RejectReason,
)
from mmd.core.instrument import Instrument
from mmd.core.market import book as books
from mmd.core.market.record import MARKET
from mmd.core.units import ClientOrderId, Side, TimeInForce
from mmd.exchange.accounts import Account
from mmd.exchange.fills import fifo, matching
from mmd.exchange.fills.funds import Funds, RestingOrder
from mmd.exchange.fills.record import (
    ACCEPTED,
    EXPIRED,
    FULL,
    NOT_SMALLER,
    UNKNOWN,
    WOULD_TAKE,
    new_fills,
)
from mmd.exchange.refusals import Refused
from mmd.jit.kernel import Rec, bind, new

_TIF = {
    TimeInForce.GTC: matching.GTC,
    TimeInForce.IOC: matching.IOC,
    TimeInForce.POST_ONLY: matching.POST_ONLY,
}
_REASON = {WOULD_TAKE: RejectReason.WOULD_TAKE, FULL: RejectReason.OTHER}
_TEXT = {
    WOULD_TAKE: "post-only order would take",
    FULL: "more orders rest than the simulated exchange has room for",
}


class FillExchange:
    """One account's orders in one recorded market.

    Attributes:
        fills, book, l3: kernel records: our orders, the exchange's book, the recorded queue.
        funds: the account.
        trades, rejects: how many there were.
        last_order_id: the number that the last accepted order was given here.
    """

    def __init__(
        self,
        instrument: Instrument,
        balances: dict[str, int],
        *,
        model: int,
        exponent: float = 3.0,
        remembered_max: int = 4096,
    ) -> None:
        """Open an account.

        Args:
            instrument: with its fees.
            balances: atoms of its base and quote.
            model: code of a queue model.
            exponent: n of the power forms.
            remembered_max: ended orders that a query still finds.
        """
        self.instrument = instrument
        self.fills: Rec = new_fills(instrument, model, exponent)
        self.book: Rec = new(books.BOOK)
        self.l3: Rec = new(fifo.L3)
        self.funds = Funds(instrument, balances)
        self.trades = self.rejects = 0
        self._orders: dict[ClientOrderId, RestingOrder] = {}
        self._ended: dict[ClientOrderId, RestingOrder] = {}
        self._ended_max = remembered_max
        self.last_order_id = 0
        records = (self.fills, self.book, self.l3)
        bind(books.reset, self.book)(self.book)
        self._place = partial(bind(matching.place, *records, 0, 0, 0, 0, 0), *records)
        self._cancel = partial(bind(matching.cancel, self.fills, 0, 0), self.fills)
        self._reduce = partial(bind(matching.reduce, self.fills, 0, 0, 0), self.fills)
        self._apply = partial(
            bind(matching.on_book, self.fills, self.book, new(MARKET)), self.fills, self.book
        )
        self._on_trade = partial(bind(matching.on_trade, self.fills, 0, 0, 0), self.fills)
        self._handlers: dict[type[Command], Callable[[Command, int], Iterator[Event]]] = {
            PlaceOrder: self._enter,
            CancelOrder: self._on_cancel,
            ReplaceOrder: self._on_replace,
            AmendOrder: self._on_amend,
            QueryOrder: self._on_query,
        }

    @property
    def account(self) -> Account:
        """Atoms of base and quote, free and locked."""
        return self.funds.account

    @property
    def open_orders(self) -> int:
        """Orders that rest."""
        return len(self._orders)

    @property
    def has_fills(self) -> bool:
        """Whether `collect` has anything to say."""
        return bool(self.fills["n_out"][0] > 0)

    @property
    def order_ids(self) -> list[ClientOrderId]:
        """Orders that rest, oldest first."""
        return list(self._orders)

    def forget_book(self) -> None:
        """The feed starts again: nothing is displayed until its snapshot, and our orders keep their places."""
        bind(books.reset, self.book)(self.book)

    def on_book(self, market: Rec) -> int:
        """A SNAPSHOT, DIFF or TOP reaches the exchange's book; returns the book's status."""
        self.fills["now_ns"] = market["ts_recv_ns"]
        return self._apply(market)

    def on_trade(self, aggressor: Side, price_ticks: int, qty_lots: int, now_ns: int) -> int:
        """A print; returns the lots of it that were ours."""
        self.fills["now_ns"] = now_ns
        return self._on_trade(int(aggressor), price_ticks, qty_lots)

    def opening(self, now_ns: int) -> Iterator[Event]:
        """What an account says of itself when it is first asked."""
        at = self.instrument
        yield from self.funds.balances(now_ns)
        yield Reconciled(now_ns, at.venue, at.id, self.account.total(at.base))

    def receive(self, command: Command, now_ns: int) -> Iterator[Event]:
        """A request arrives: what the exchange answers, in order, stamped with its own time."""
        self.fills["now_ns"] = now_ns
        if isinstance(command, CancelAll):
            for order_id in list(self._orders):
                yield from self._on_cancel(CancelOrder(command.instrument, order_id), now_ns)
        elif not isinstance(command, ResyncBook):
            yield from self._handlers[type(command)](command, now_ns)

    def on_rested(
        self, number: ClientOrderId, side: Side, price_ticks: int, qty_lots: int, order_id: int
    ) -> None:
        """An order that FILLS shows already came to rest: its funds are locked."""
        order = self._orders[number] = RestingOrder(side, price_ticks, qty_lots, order_id)
        self.last_order_id = order_id
        self.funds.lock(order)

    def on_left(self, number: ClientOrderId) -> None:
        """An order that FILLS shows no more was taken back: its funds are free."""
        self.funds.unlock(self._orders[number])
        self._forget(number)

    def collect(self) -> Iterator[Event]:
        """Fills that happened since the last call, each with the balances after it."""
        n = int(self.fills["n_out"][0])
        self.fills["n_out"] = 0
        for row in self.fills["out"][0, :n].tolist():
            yield self._book_fill(row)
        if n > 0:
            yield from self.funds.balances(row[-1])

    def _enter(self, command: Command, now_ns: int) -> Iterator[Event]:
        """Lock funds, let the order in, report what it took and what is left of it."""
        assert isinstance(command, PlaceOrder | ReplaceOrder)
        number = command.client_order_id
        if command.tif not in _TIF:
            yield self._reject(command, now_ns, RejectReason.FILTER, "time in force not simulated")
            return
        at = (command.side, command.price_ticks, command.qty_lots)
        order = RestingOrder(*at, self.last_order_id + 1)
        try:
            self.funds.lock(order)
        except Refused:
            yield self._reject(command, now_ns, RejectReason.BALANCE, "insufficient balance")
            return
        price = command.price_ticks
        status = self._place(number, int(command.side), price, command.qty_lots, _TIF[command.tif])
        if status not in {ACCEPTED, EXPIRED}:
            self.funds.unlock(order)
            yield self._reject(command, now_ns, _REASON[status], _TEXT[status])
            return
        self.last_order_id = order.order_id
        self._orders[number] = order
        yield OrderAccepted(now_ns, self.instrument.id, number, order.order_id, now_ns)
        yield from self.collect()
        if status == EXPIRED:
            yield self._end(number, EndReason.EXPIRED, now_ns)

    def _on_cancel(
        self, command: Command, now_ns: int, reason: EndReason = EndReason.CANCELED
    ) -> Iterator[Event]:
        assert isinstance(command, CancelOrder)
        order = self._orders.get(command.client_order_id)
        if order is None:
            yield self._cancel_rejected(command.client_order_id, now_ns)
            return
        self._cancel(int(order.side), command.client_order_id)
        yield self._end(command.client_order_id, reason, now_ns)

    def _on_replace(self, command: Command, now_ns: int) -> Iterator[Event]:
        """Cancel and place; where there is nothing to cancel nothing is placed."""
        assert isinstance(command, ReplaceOrder)
        if command.cancel_id not in self._orders:
            yield self._cancel_rejected(command.cancel_id, now_ns)
            yield self._reject(command, now_ns, RejectReason.UNKNOWN_ORDER, "nothing to replace")
            return
        cancel = CancelOrder(command.instrument, command.cancel_id)
        yield from self._on_cancel(cancel, now_ns, EndReason.REPLACED)
        yield from self._enter(command, now_ns)

    def _on_amend(self, command: Command, now_ns: int) -> Iterator[Event]:
        assert isinstance(command, AmendOrder)
        number = command.client_order_id
        order = self._orders.get(number)
        status = UNKNOWN
        if order is not None:
            status = self._reduce(int(order.side), number, command.qty_lots - order.filled_lots)
        if order is None or status != ACCEPTED:
            reason = RejectReason.FILTER if status == NOT_SMALLER else RejectReason.UNKNOWN_ORDER
            yield CancelRejected(now_ns, self.instrument.id, number, reason, 0, "not amended")
            return
        order.qty_lots = command.qty_lots
        self.funds.lock(order)
        yield self._status(number, order, is_open=True, now_ns=now_ns)

    def _on_query(self, command: Command, now_ns: int) -> Iterator[Event]:
        assert isinstance(command, QueryOrder)
        number = command.client_order_id
        order = self._orders.get(number) or self._ended.get(number)
        if order is None:
            known = is_open = False
            yield OrderStatus(
                now_ns, self.instrument.id, number, known, is_open, 0, Side.BUY, 0, 0, 0
            )
        else:
            yield self._status(number, order, is_open=number in self._orders, now_ns=now_ns)

    def _status(
        self, number: ClientOrderId, order: RestingOrder, *, is_open: bool, now_ns: int
    ) -> OrderStatus:
        known = True
        return OrderStatus(
            now_ns,
            self.instrument.id,
            number,
            known,
            is_open,
            order.order_id,
            order.side,
            order.price_ticks,
            order.qty_lots,
            order.filled_lots,
        )

    def _book_fill(self, row: list[int]) -> Fill:
        """Move the money of one fill and describe it."""
        number, side, price, lots, is_maker, ts_ns = row
        order = self._orders[ClientOrderId(number)]
        self.trades += 1
        fee = self.funds.trade(order, price, lots, is_maker=is_maker == 1)
        if order.filled_lots >= order.qty_lots:
            self._forget(ClientOrderId(number))
        return Fill(
            ts_ns,
            self.instrument.id,
            ClientOrderId(number),
            order.order_id,
            self.trades,
            Side(side),
            price,
            lots,
            is_maker == 1,
            fee.atoms,
            fee.asset,
            ts_ns,
        )

    def _end(self, number: ClientOrderId, reason: EndReason, now_ns: int) -> OrderEnded:
        order = self._orders[number]
        self.funds.unlock(order)
        self._forget(number)
        return OrderEnded(now_ns, self.instrument.id, number, reason, order.filled_lots, now_ns)

    def _forget(self, number: ClientOrderId) -> None:
        order = self._orders.pop(number)
        self._ended[number] = order
        if len(self._ended) > self._ended_max:
            del self._ended[next(iter(self._ended))]

    def _reject(
        self, command: PlaceOrder | ReplaceOrder, now_ns: int, reason: RejectReason, text: str
    ) -> OrderRejected:
        self.rejects += 1
        return OrderRejected(now_ns, self.instrument.id, command.client_order_id, reason, 0, text)

    def _cancel_rejected(self, number: ClientOrderId, now_ns: int) -> CancelRejected:
        return CancelRejected(
            now_ns, self.instrument.id, number, RejectReason.UNKNOWN_ORDER, 0, "unknown order"
        )
