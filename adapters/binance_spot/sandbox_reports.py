"""Orders, trades and balances in the venue's JSON: order answers, execution reports, account positions.

Source: rest-api.md (New order, Query order, Account trade list), user-data-stream.md.
"""

from typing import Any

from adapters.binance_spot.sandbox_numbers import WireNumbers, text_of_atoms
from mmd.core.instrument import Instrument
from mmd.exchange.accounts import Account
from mmd.exchange.executions import BalanceChange, Execution, ExecutionKind, ExpiryReason
from mmd.exchange.orders import Order, OrderType

_ZERO = "0.00000000"
_EXPIRY = {
    ExpiryReason.IOC_REST: "UNFILLED_IOC_QUANTITY_EXPIRED",
    ExpiryReason.FOK_UNFILLABLE: "UNFILLED_FOK_ORDER_EXPIRED",
    ExpiryReason.NO_LIQUIDITY: "INSUFFICIENT_LIQUIDITY",
}

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

    def placed(self, order: Order, fills: list[Execution], detail: str) -> Json:
        """The answer to a new order: ACK, RESULT or FULL."""
        answer = self.ack(order)
        if detail == "ACK":
            return answer
        answer |= self._state(order)
        answer["workingTime"] = _ms(order.ts_created_ns)
        if detail == "FULL":
            answer["fills"] = [self._fill(f) for f in fills]
        answer["selfTradePreventionMode"] = order.self_trade.name
        return answer | self._prevention(order)

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
                "quoteOrderQty": _ZERO,
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
            **self._prevention(order),
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

    def execution(self, event: Execution, now_ns: int, reject_reason: str = "NONE") -> Json:
        """An executionReport."""
        order, qty, price = event.order, self.numbers.qty, self.numbers.price
        is_trade = event.kind == ExecutionKind.TRADE
        canceled = event.kind == ExecutionKind.CANCELED
        traded = event.last_qty_lots if is_trade else 0
        report = {
            "e": "executionReport",
            "E": _ms(now_ns),
            "s": self.symbol,
            "c": event.request_id if canceled else event.client_order_id,
            "S": order.side.name,
            "o": order.type.name,
            "f": order.tif.name,
            "q": qty(event.qty_lots),
            "p": price(order.price_ticks),
            "P": _ZERO,
            "F": _ZERO,
            "g": -1,
            "C": event.client_order_id if canceled else event.request_id,
            "x": event.kind.name,
            "X": event.state.name,
            "r": reject_reason,
            "i": order.order_id,
            "l": qty(traded),
            "z": qty(event.filled_lots),
            "L": price(event.last_price_ticks) if is_trade else _ZERO,
            "n": text_of_atoms(event.fee_atoms) if is_trade else "0",
            "N": event.fee_asset if is_trade else None,
            "T": _ms(event.ts_ns),
            "t": event.trade_id,
            "I": event.execution_id,
            "w": event.is_working,
            "m": event.is_maker,
            "M": False,
            "O": _ms(order.ts_created_ns),
            "Z": text_of_atoms(event.quote_atoms),
            "Y": text_of_atoms(event.last_quote_atoms),
            "Q": _ZERO,
            "W": _ms(order.ts_created_ns),
            "V": order.self_trade.name,
        }
        if event.kind == ExecutionKind.TRADE_PREVENTION:
            report |= {
                "v": event.execution_id,
                "A": qty(order.prevented_lots),
                "B": qty(event.last_qty_lots),
                "u": 1,
                "U": event.counter_order_id,
                "Cs": self.symbol,
                "pl": qty(event.last_qty_lots),
                "pL": price(event.last_price_ticks),
            }
        if event.expiry in _EXPIRY:
            report["eR"] = _EXPIRY[event.expiry]
        return report

    def _state(self, order: Order) -> Json:
        return {
            "price": self.numbers.price(order.price_ticks),
            "origQty": self.numbers.qty(order.qty_lots),
            "executedQty": self.numbers.qty(order.filled_lots),
            "origQuoteOrderQty": _ZERO,
            "cummulativeQuoteQty": text_of_atoms(order.quote_atoms),
            "status": order.state.name,
            "timeInForce": order.tif.name,
            "type": order.type.name,
            "side": order.side.name,
        }

    def _prevention(self, order: Order) -> Json:
        if order.prevented_lots == 0:
            return {}
        return {"preventedQuantity": self.numbers.qty(order.prevented_lots)}

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


def account_position(change: BalanceChange, now_ns: int) -> Json:
    """An outboundAccountPosition event."""
    return {
        "e": "outboundAccountPosition",
        "E": _ms(now_ns),
        "u": _ms(change.ts_ns),
        "B": [
            {"a": asset, "f": text_of_atoms(free), "l": text_of_atoms(locked)}
            for asset, free, locked in change.balances
        ],
    }
