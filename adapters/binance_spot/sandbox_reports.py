"""Orders, trades and balances in the JSON of answers.

Source: Binance spot API, rest-api.md, "Trading endpoints", "Account Endpoints".
"""

from typing import Any

from adapters.binance_spot.sandbox_numbers import WireNumbers, text_of_atoms
from mmd.core.instrument import Instrument
from mmd.exchange.accounts import Account
from mmd.exchange.executions import Execution, ExecutionKind, PreventedMatch
from mmd.exchange.orders import Order, OrderType

_ZERO = "0.00000000"
Json = dict[str, Any]


def _ms(ts_ns: int) -> int:
    return ts_ns // 1_000_000


class Reports:
    """Writes what concerns one instrument."""

    def __init__(self, instrument: Instrument) -> None:
        self.symbol = instrument.symbol
        self.numbers = WireNumbers(instrument)
        self._zero_qty = self.numbers.qty(0)

    def ack(self, order: Order) -> Json:
        """The shortest answer to a new order."""
        return {
            "symbol": self.symbol,
            "orderId": order.order_id,
            "orderListId": -1,
            "clientOrderId": order.client_order_id,
            "transactTime": _ms(order.ts_updated_ns),
        }

    def placed(self, order: Order, events: list[Execution], detail: str) -> Json:
        """The answer to a new order: ACK, RESULT or FULL, with what happened to it on arrival."""
        answer = self.ack(order)
        if detail == "ACK":
            return answer
        answer |= self._state(order)
        answer["workingTime"] = _ms(order.ts_created_ns)
        if detail == "FULL":
            answer["fills"] = [self._fill(e) for e in events if e.kind == ExecutionKind.TRADE]
        matches = _prevented_by(order, events)
        if matches:
            answer["preventedMatches"] = [self._prevented_on_arrival(m) for m in matches]
        answer["selfTradePreventionMode"] = order.self_trade.name
        return answer | self._group(order) | self._prevented_qty(order)

    def canceled(self, order: Order, request_id: str) -> Json:
        """The answer to a cancel."""
        return {
            "symbol": self.symbol,
            "origClientOrderId": order.client_order_id,
            "orderId": order.order_id,
            "orderListId": -1,
            "clientOrderId": request_id,
            "transactTime": _ms(order.ts_updated_ns),
            **self._state(order),
            "selfTradePreventionMode": order.self_trade.name,
        }

    def amended(self, order: Order, execution: Execution) -> Json:
        """The answer to an amend."""
        return {
            "transactTime": _ms(execution.ts_ns),
            "executionId": execution.execution_id,
            "amendedOrder": {
                "symbol": self.symbol,
                "orderId": order.order_id,
                "orderListId": -1,
                "origClientOrderId": execution.request_id,
                "clientOrderId": order.client_order_id,
                "price": self.numbers.price(order.price_ticks),
                "qty": self.numbers.qty(order.qty_lots),
                "executedQty": self.numbers.qty(order.filled_lots),
                "preventedQty": self.numbers.qty(order.prevented_lots),
                "quoteOrderQty": text_of_atoms(order.quote_asked_atoms),
                "cumulativeQuoteQty": text_of_atoms(order.quote_atoms),
                "status": order.state.name,
                "timeInForce": order.tif.name,
                "type": order.type.name,
                "side": order.side.name,
                "workingTime": _ms(order.ts_created_ns),
                "selfTradePreventionMode": order.self_trade.name,
            },
        }

    def queried(self, order: Order) -> Json:
        """An order as queries show it."""
        return {
            "symbol": self.symbol,
            "orderId": order.order_id,
            "orderListId": -1,
            "clientOrderId": order.client_order_id,
            **self._state(order),
            "stopPrice": _ZERO,
            "icebergQty": _ZERO,
            "time": _ms(order.ts_created_ns),
            "updateTime": _ms(order.ts_updated_ns),
            "isWorking": True,
            "workingTime": _ms(order.ts_created_ns),
            "selfTradePreventionMode": order.self_trade.name,
            **self._group(order),
            **({} if order.prevented_id < 0 else {"preventedMatchId": order.prevented_id}),
            **self._prevented_qty(order),
        }

    def amendment(self, execution: Execution) -> Json:
        """One step of an order's amendments."""
        return {
            "symbol": self.symbol,
            "orderId": execution.order.order_id,
            "executionId": execution.execution_id,
            "origClientOrderId": execution.request_id,
            "newClientOrderId": execution.client_order_id,
            "origQty": self.numbers.qty(execution.former_qty_lots),
            "newQty": self.numbers.qty(execution.qty_lots),
            "time": _ms(execution.ts_ns),
        }

    def prevented_match(self, match: PreventedMatch) -> Json:
        """A prevented self-trade as myPreventedMatches shows it."""
        return {
            "symbol": self.symbol,
            "preventedMatchId": match.match_id,
            "takerOrderId": match.taker.order_id,
            "makerSymbol": self.symbol,
            "makerOrderId": match.maker.order_id,
            "tradeGroupId": match.taker.trade_group,
            "selfTradePreventionMode": match.mode.name,
            "price": self.numbers.price(match.price_ticks),
            **self._lost(match),
            "transactTime": _ms(match.ts_ns),
        }

    def own_trade(self, execution: Execution) -> Json:
        """A trade as myTrades shows it."""
        return {
            "symbol": self.symbol,
            "id": execution.trade_id,
            "orderId": execution.order.order_id,
            "orderListId": -1,
            "price": self.numbers.price(execution.last_price_ticks),
            "qty": self.numbers.qty(execution.last_qty_lots),
            "quoteQty": text_of_atoms(execution.last_quote_atoms),
            "commission": text_of_atoms(execution.fee_atoms),
            "commissionAsset": execution.fee_asset,
            "time": _ms(execution.ts_ns),
            "isBuyer": execution.order.side.sign > 0,
            "isMaker": execution.is_maker,
            "isBestMatch": True,
        }

    def _state(self, order: Order) -> Json:
        return {
            "price": self.numbers.price(order.price_ticks),
            "origQty": self.numbers.qty(order.qty_lots),
            "executedQty": self.numbers.qty(order.filled_lots),
            "origQuoteOrderQty": text_of_atoms(order.quote_asked_atoms),
            "cummulativeQuoteQty": text_of_atoms(order.quote_atoms),
            "status": order.state.name,
            "timeInForce": order.tif.name,
            "type": order.type.name,
            "side": order.side.name,
        }

    def _prevented_on_arrival(self, match: PreventedMatch) -> Json:
        return {
            "preventedMatchId": match.match_id,
            "makerSymbol": self.symbol,
            "makerOrderId": match.maker.order_id,
            "price": self.numbers.price(match.price_ticks),
            **self._lost(match),
        }

    def _lost(self, match: PreventedMatch) -> Json:
        lost = {
            "takerPreventedQuantity": match.taker_lots,
            "makerPreventedQuantity": match.maker_lots,
        }
        return {name: self.numbers.qty(lots) for name, lots in lost.items() if lots > 0}

    def _prevented_qty(self, order: Order) -> Json:
        if order.prevented_lots == 0:
            return {}
        return {"preventedQuantity": self.numbers.qty(order.prevented_lots)}

    @staticmethod
    def _group(order: Order) -> Json:
        return {} if order.trade_group == -1 else {"tradeGroupId": order.trade_group}

    def _fill(self, execution: Execution) -> Json:
        return {
            "price": self.numbers.price(execution.last_price_ticks),
            "qty": self.numbers.qty(execution.last_qty_lots),
            "commission": text_of_atoms(execution.fee_atoms),
            "commissionAsset": execution.fee_asset,
            "tradeId": execution.trade_id,
        }


def default_detail(order_type: OrderType) -> str:
    """NewOrderRespType where none was asked for."""
    return "ACK" if order_type == OrderType.LIMIT_MAKER else "FULL"


def balances(account: Account, assets: list[str]) -> list[Json]:
    """Free and locked amounts, as queries show them."""
    return [
        {
            "asset": asset,
            "free": text_of_atoms(account.free.get(asset, 0)),
            "locked": text_of_atoms(account.locked.get(asset, 0)),
        }
        for asset in assets
    ]


def _prevented_by(order: Order, events: list[Execution]) -> list[PreventedMatch]:
    """The prevented self-trades in which an arriving order was the taker, each once."""
    found = [e.prevented for e in events if e.prevented is not None]
    by_id = {m.match_id: m for m in found if m.taker is order}
    return list(by_id.values())
