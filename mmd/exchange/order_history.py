"""Every order and trade of the accounts that can still be asked for; memory is bounded."""

from collections import deque
from collections.abc import Iterator

from mmd.exchange.executions import Execution, PreventedMatch
from mmd.exchange.orders import Order
from mmd.exchange.refusals import Refusal, Refused

_CLOSED_KEPT = 20_000
_TRADES_KEPT = 100_000
_OTHERS_KEPT = 10_000

_Name = tuple[str, int, str]


class OrderHistory:
    """Open orders, the latest closed ones, and own trades, by id and by the client's own name."""

    def __init__(self) -> None:
        self._open: dict[int, Order] = {}
        self._closed: dict[int, Order] = {}
        self._by_name: dict[_Name, Order] = {}
        self._trades: deque[Execution] = deque(maxlen=_TRADES_KEPT)
        self._amendments: deque[Execution] = deque(maxlen=_OTHERS_KEPT)
        self._prevented: deque[PreventedMatch] = deque(maxlen=_OTHERS_KEPT)
        self._last_order_id = 0
        self._last_execution_id = 0

    def next_order_id(self) -> int:
        """Ids count from 1 over all instruments."""
        self._last_order_id += 1
        return self._last_order_id

    def next_execution_id(self) -> int:
        """Ids count from 1 over all instruments."""
        self._last_execution_id += 1
        return self._last_execution_id

    def open(self, order: Order) -> None:
        """Keep an accepted order."""
        self._open[order.order_id] = order
        self._by_name[_name(order)] = order

    def rename(self, order: Order, client_order_id: str) -> None:
        """Give an order another name; it is not found under the former one any more."""
        del self._by_name[_name(order)]
        order.client_order_id = client_order_id
        self._by_name[_name(order)] = order

    def close(self, order: Order) -> None:
        """Move an order that ended to the bounded part."""
        if self._open.pop(order.order_id, None) is None:
            return
        self._closed[order.order_id] = order
        if len(self._closed) > _CLOSED_KEPT:
            oldest = self._closed.pop(next(iter(self._closed)))
            if self._by_name.get(_name(oldest)) is oldest:
                del self._by_name[_name(oldest)]

    def record_trade(self, execution: Execution) -> None:
        """Keep an own trade."""
        self._trades.append(execution)

    def record_amendment(self, execution: Execution) -> None:
        """Keep an amendment."""
        self._amendments.append(execution)

    def record_prevented(self, match: PreventedMatch) -> None:
        """Keep a prevented self-trade."""
        self._prevented.append(match)

    def amendments(self, order: Order) -> Iterator[Execution]:
        """An order's amendments, oldest first."""
        return (a for a in self._amendments if a.order is order)

    def prevented(self, account: str, instrument: int) -> Iterator[PreventedMatch]:
        """Prevented self-trades that an account had a part in, oldest first."""
        return (
            p
            for p in self._prevented
            if p.instrument == instrument and account in {p.taker.account, p.maker.account}
        )

    def is_name_in_use(self, account: str, instrument: int, client_order_id: str) -> bool:
        """Whether an open order has this client order id."""
        order = self._by_name.get((account, instrument, client_order_id))
        return order is not None and order.is_open

    def find(self, account: str, instrument: int, order_id: int | None, name: str | None) -> Order:
        """An order by id, by name, or by both agreeing. Raises: Refused if there is none such."""
        if order_id is not None:
            order = self._open.get(order_id) or self._closed.get(order_id)
        else:
            order = self._by_name.get((account, instrument, name or ""))
        if order is None or (order.account, order.instrument) != (account, instrument):
            raise Refused(Refusal.UNKNOWN_ORDER)
        if name is not None and order.client_order_id != name:
            raise Refused(Refusal.NAME_MISMATCH)
        return order

    def open_orders(self, account: str, instrument: int | None = None) -> list[Order]:
        """An account's open orders, oldest first; of one instrument or of all."""
        return [
            o
            for o in self._open.values()
            if o.account == account and (instrument is None or o.instrument == instrument)
        ]

    def all_orders(self, account: str, instrument: int) -> Iterator[Order]:
        """Closed and open orders that are still known, by id."""
        known = (
            o
            for orders in (self._closed, self._open)
            for o in orders.values()
            if o.account == account and o.instrument == instrument
        )
        return iter(sorted(known, key=lambda o: o.order_id))

    def trades(self, account: str, instrument: int) -> Iterator[Execution]:
        """Own trades, oldest first."""
        return (
            t
            for t in self._trades
            if t.order.account == account and t.order.instrument == instrument
        )


def _name(order: Order) -> _Name:
    return order.account, order.instrument, order.client_order_id
