"""What the user data stream says: execution reports and account positions.

Source: Binance spot API, user-data-stream.md.
"""

from adapters.binance_spot.sandbox_numbers import text_of_atoms
from adapters.binance_spot.sandbox_reports import Json, Reports
from mmd.exchange.executions import (
    BalanceChange,
    Execution,
    ExecutionKind,
    ExpiryReason,
    PreventedMatch,
)
from mmd.exchange.orders import Order

_ZERO = "0.00000000"
_EXPIRY = {
    ExpiryReason.IOC_REST: "UNFILLED_IOC_QUANTITY_EXPIRED",
    ExpiryReason.FOK_UNFILLABLE: "UNFILLED_FOK_ORDER_EXPIRED",
    ExpiryReason.NO_LIQUIDITY: "INSUFFICIENT_LIQUIDITY",
}


def execution_report(
    reports: Reports, event: Execution, now_ns: int, reject_reason: str = "NONE"
) -> Json:
    """An executionReport; fields that only some reports have come last."""
    order, qty, price = event.order, reports.numbers.qty, reports.numbers.price
    is_trade = event.kind == ExecutionKind.TRADE
    canceled = event.kind == ExecutionKind.CANCELED
    report = {
        "e": "executionReport",
        "E": _ms(now_ns),
        "s": reports.symbol,
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
        "l": qty(event.last_qty_lots if is_trade else 0),
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
        "Q": text_of_atoms(order.quote_asked_atoms),
        "W": _ms(order.ts_created_ns),
        "V": order.self_trade.name,
    }
    if event.prevented is not None:
        report |= _prevention(reports, event, event.prevented)
    if event.expiry in _EXPIRY:
        report["eR"] = _EXPIRY[event.expiry]
    return report


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


def _prevention(reports: Reports, event: Execution, match: PreventedMatch) -> Json:
    """What a TRADE_PREVENTION report has beyond the others."""
    qty = reports.numbers.qty
    counter: Order = match.taker if event.order is match.maker else match.maker
    return {
        "v": match.match_id,
        "A": qty(event.order.prevented_lots),
        "B": qty(event.last_qty_lots),
        "u": event.order.trade_group,
        "U": counter.order_id,
        "Cs": reports.symbol,
        "pl": qty(match.qty_lots),
        "pL": reports.numbers.price(match.price_ticks),
        "pY": text_of_atoms(0),
    }


def _ms(ts_ns: int) -> int:
    return ts_ns // 1_000_000
