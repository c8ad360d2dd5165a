"""The simulated exchange: accounts, instruments and what may be asked of them, as calls with time passed in.

Every call returns the events it caused, in order, or raises Refused having changed nothing. Nothing here
reads a clock or a socket; the same calls give the same events.
"""

from collections.abc import Sequence

import msgspec

from mmd.core.instrument import Instrument, TradingStatus
from mmd.core.units import Side
from mmd.exchange.accounts import Account
from mmd.exchange.executions import (
    ExchangeEvent,
    Execution,
    ExecutionKind,
    ExpiryReason,
)
from mmd.exchange.market import Market
from mmd.exchange.order_book import Outcome
from mmd.exchange.order_history import OrderHistory
from mmd.exchange.orders import Order, OrderState, OrderTif, OrderType, SelfTrade
from mmd.exchange.refusals import Refusal, Refused
from mmd.exchange.rules import MarketRules, rules_of


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A new order as a client asks for it; price_ticks is 0 for a market order.

    quote_atoms instead of qty_lots asks a market order to spend or to raise an amount of quote.
    self_trade None is the market's default.
    """

    instrument: int
    client_order_id: str
    side: Side
    type: OrderType
    qty_lots: int = 0
    quote_atoms: int = 0
    price_ticks: int = 0
    tif: OrderTif = OrderTif.GTC
    self_trade: SelfTrade | None = None


class Exchange:
    """Accounts and markets under one order history."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        balances: dict[str, dict[str, int]],
        *,
        dictated: bool = False,
        rules: Sequence[MarketRules] | None = None,
        trade_groups: dict[str, int] | None = None,
    ) -> None:
        """Open the markets.

        Args:
            instruments: Their ids must be 0, 1, ... in order.
            balances: Atoms by asset, by account.
            dictated: A tape says what the background is; else a generator adds to it and takes from it.
            rules: One for each instrument; None for what follows from the instruments alone.
            trade_groups: By account; accounts of one group do not trade with each other.
        """
        groups = trade_groups or {}
        self.accounts = {
            name: Account(name, assets, groups.get(name, -1)) for name, assets in balances.items()
        }
        self.history = OrderHistory()
        self.markets = [
            Market(i, self.accounts, self.history, dictated=dictated, rules=r)
            for i, r in zip(instruments, rules or map(rules_of, instruments), strict=True)
        ]
        self._by_symbol = {m.instrument.symbol: m for m in self.markets}
        assert [m.instrument.id for m in self.markets] == list(range(len(self.markets)))

    def market(self, symbol: str) -> Market:
        """The market of a symbol. Raises: Refused if there is none."""
        market = self._by_symbol.get(symbol)
        if market is None:
            raise Refused(Refusal.UNKNOWN_INSTRUMENT)
        return market

    def background(
        self, market: Market, outcomes: list[Outcome], now_ns: int
    ) -> list[ExchangeEvent]:
        """Settle what background flow did to a market's book."""
        return self._recorded(market.settle(outcomes, now_ns)) if outcomes else []

    def validate(self, account: str, request: OrderRequest, now_ns: int) -> None:
        """Check a new order against everything that can refuse it. Raises: Refused."""
        self.check_filters(account, request, now_ns)
        market = self.markets[request.instrument]
        if self.history.is_name_in_use(account, request.instrument, request.client_order_id):
            raise Refused(Refusal.DUPLICATE_ORDER)
        post_only = request.type == OrderType.LIMIT_MAKER
        if post_only and market.book.would_take(request.side, request.price_ticks):
            raise Refused(Refusal.WOULD_TAKE)

    def check_filters(self, account: str, request: OrderRequest, now_ns: int) -> None:
        """Check what needs no matching engine: status and filters. Raises: Refused."""
        market = self.markets[request.instrument]
        if market.status != TradingStatus.TRADING:
            raise Refused(Refusal.NOT_TRADING)
        if request.self_trade not in {None, *market.rules.self_trade_modes}:
            raise Refused(Refusal.SELF_TRADE_MODE)
        if request.quote_atoms > 0:
            market.filters.check_quote(request.quote_atoms)
        else:
            market.filters.check_order(
                request.side,
                request.type,
                request.price_ticks,
                request.qty_lots,
                market.reference_ticks(now_ns),
            )
        open_orders = self.history.open_orders(account, request.instrument)
        if request.type != OrderType.MARKET:
            market.filters.check_count(len(open_orders))
        if request.side == Side.BUY:
            held = self.accounts[account].total(market.instrument.base)
            bids = sum(o.open_lots for o in open_orders if o.side == Side.BUY)
            market.filters.check_position(
                held // market.value.atoms_per_lot, bids, request.qty_lots
            )

    def place(
        self, account: str, request: OrderRequest, now_ns: int
    ) -> tuple[Order, list[ExchangeEvent]]:
        """Accept an order and match it. Raises: Refused."""
        self.validate(account, request, now_ns)
        market = self.markets[request.instrument]
        order = self._order(account, request, now_ns)
        if request.quote_atoms > 0:
            order.qty_lots = market.lots_for(request.side, request.quote_atoms)
            if order.qty_lots == 0:
                raise Refused(Refusal.LOT_SIZE)
        market.lock(order)
        order.order_id = self.history.next_order_id()
        self.history.open(order)
        events: list[ExchangeEvent] = [market.execution(order, ExecutionKind.NEW, now_ns)]
        events += market.balance_changes({account: None}, now_ns)
        outcomes = market.book.submit(order)
        events += self._recorded(market.settle(outcomes, now_ns))
        if order.is_open and order.order_id not in market.book.own[order.side]:
            events += self._expire(market, order, now_ns)
        return order, events

    def cancel(
        self,
        account: str,
        instrument: int,
        order_id: int | None,
        client_order_id: str | None,
        now_ns: int,
        *,
        request_id: str = "",
        only_state: OrderState | None = None,
    ) -> tuple[Order, list[ExchangeEvent]]:
        """Take an open order back. Raises: Refused if it is unknown, not open, or not in only_state."""
        order = self._open_order(account, instrument, order_id, client_order_id)
        if only_state is not None and order.state != only_state:
            raise Refused(Refusal.CANCEL_RESTRICTED)
        return order, self._cancel(order, request_id, now_ns)

    def cancel_all(
        self, account: str, instrument: int, now_ns: int, *, request_id: str = ""
    ) -> tuple[list[Order], list[ExchangeEvent]]:
        """Take back all open orders of an account. Raises: Refused if there are none."""
        orders = self.history.open_orders(account, instrument)
        if not orders:
            raise Refused(Refusal.UNKNOWN_ORDER)
        events: list[ExchangeEvent] = []
        for order in orders:
            events += self._cancel(order, request_id, now_ns)
        return orders, events

    def amend(
        self,
        account: str,
        instrument: int,
        order_id: int | None,
        client_order_id: str | None,
        qty_lots: int,
        now_ns: int,
        new_client_order_id: str | None = None,
    ) -> tuple[Order, Execution, list[ExchangeEvent]]:
        """Shrink an open order to qty_lots in total; its place in the queue stays. Raises: Refused."""
        order = self._open_order(account, instrument, order_id, client_order_id)
        market = self.markets[instrument]
        if order.amends >= market.rules.amends_max:
            raise Refused(Refusal.MAX_NUM_ORDER_AMENDS)
        if qty_lots == order.qty_lots:
            raise Refused(Refusal.AMEND_NO_CHANGE)
        if qty_lots > order.qty_lots:
            raise Refused(Refusal.AMEND_INCREASE)
        if qty_lots <= order.filled_lots + order.prevented_lots:
            raise Refused(Refusal.LOT_SIZE)
        market.filters.check_order(
            order.side, order.type, order.price_ticks, qty_lots, market.reference_ticks(now_ns)
        )
        former = order.client_order_id
        if new_client_order_id is not None and new_client_order_id != former:
            if self.history.is_name_in_use(account, instrument, new_client_order_id):
                raise Refused(Refusal.DUPLICATE_ORDER)
            self.history.rename(order, new_client_order_id)
        former_qty_lots = order.qty_lots
        market.book.reduce(order, qty_lots)
        order.amends += 1
        order.ts_updated_ns = now_ns
        market.relock(order)
        execution = market.execution(
            order,
            ExecutionKind.REPLACED,
            now_ns,
            request_id=former,
            former_qty_lots=former_qty_lots,
        )
        self.history.record_amendment(execution)
        return order, execution, [execution, *market.balance_changes({account: None}, now_ns)]

    def reject(self, account: str, request: OrderRequest, now_ns: int) -> Execution:
        """The report of an order refused after its request had taken effect in part (cancel-replace)."""
        order = self._order(account, request, now_ns)
        order.order_id = self.history.next_order_id()
        order.state = OrderState.REJECTED
        return self.markets[request.instrument].execution(order, ExecutionKind.REJECTED, now_ns)

    def _order(self, account: str, request: OrderRequest, now_ns: int) -> Order:
        """An order without an id yet."""
        default = self.markets[request.instrument].rules.self_trade
        return Order(
            order_id=0,
            account=account,
            instrument=request.instrument,
            client_order_id=request.client_order_id,
            side=request.side,
            type=request.type,
            tif=request.tif,
            price_ticks=request.price_ticks,
            qty_lots=request.qty_lots,
            ts_created_ns=now_ns,
            ts_updated_ns=now_ns,
            self_trade=default if request.self_trade is None else request.self_trade,
            quote_asked_atoms=request.quote_atoms,
            trade_group=self.accounts[account].trade_group,
        )

    def _open_order(
        self, account: str, instrument: int, order_id: int | None, client_order_id: str | None
    ) -> Order:
        order = self.history.find(account, instrument, order_id, client_order_id)
        if not order.is_open:
            raise Refused(Refusal.UNKNOWN_ORDER)
        return order

    def _cancel(self, order: Order, request_id: str, now_ns: int) -> list[ExchangeEvent]:
        market = self.markets[order.instrument]
        market.book.withdraw(order)
        market.end(order, OrderState.CANCELED, now_ns)
        execution = market.execution(order, ExecutionKind.CANCELED, now_ns, request_id=request_id)
        return [execution, *market.balance_changes({order.account: None}, now_ns)]

    def _expire(self, market: Market, order: Order, now_ns: int) -> list[ExchangeEvent]:
        """End what IOC, FOK and market orders left unfilled."""
        if order.type == OrderType.MARKET:
            reason = ExpiryReason.NO_LIQUIDITY
        elif order.tif == OrderTif.FOK:
            reason = ExpiryReason.FOK_UNFILLABLE
        else:
            reason = ExpiryReason.IOC_REST
        market.end(order, OrderState.EXPIRED, now_ns)
        execution = market.execution(order, ExecutionKind.EXPIRED, now_ns, expiry=reason)
        return [execution, *market.balance_changes({order.account: None}, now_ns)]

    def _recorded(self, events: list[ExchangeEvent]) -> list[ExchangeEvent]:
        for event in events:
            if isinstance(event, Execution) and event.kind == ExecutionKind.TRADE:
                self.history.record_trade(event)
        return events
