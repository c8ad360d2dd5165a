"""Commands as REST calls: what `order_codec` says on the WebSocket API, for when that is down."""

from collections.abc import Sequence
from typing import NamedTuple, assert_never

from adapters.binance_spot.decimal_grid import InstrumentGrids
from adapters.binance_spot.order_ids import encode_id
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
from mmd.core.instrument import Instrument
from mmd.core.units import InstrumentId, TimeInForce

_ORDER = "/api/v3/order"


class RestCall(NamedTuple):
    """A request before it is stamped, percent-encoded and signed, in this order."""

    method: str
    path: str
    params: tuple[tuple[str, object], ...]


class RestOrderEncoder:
    """Encodes every command that goes to the venue."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        """Prepare the instruments' grids."""
        self._grids = {i.id: InstrumentGrids(i) for i in instruments}

    def symbol_of(self, instrument: InstrumentId) -> str:
        """An instrument's symbol."""
        return self._grids[instrument].symbol

    def encode(self, command: Command) -> RestCall:
        """The call for a command; ResyncBook concerns none and is refused by an assertion."""
        grids = self._grids[command.instrument]
        symbol = ("symbol", grids.symbol)
        match command:
            case PlaceOrder():
                return RestCall("POST", _ORDER, (symbol, *_order(command, grids)))
            case CancelOrder(client_order_id=order_id):
                return RestCall("DELETE", _ORDER, (symbol, _original(encode_id(order_id))))
            case ReplaceOrder(cancel_id=old):
                mode = ("cancelReplaceMode", "STOP_ON_FAILURE")
                cancel = ("cancelOrigClientOrderId", encode_id(old))
                params = (symbol, mode, cancel, *_order(command, grids))
                return RestCall("POST", f"{_ORDER}/cancelReplace", params)
            case AmendOrder(client_order_id=order_id, qty_lots=lots):
                name = encode_id(order_id)
                qty = ("newQty", grids.lots.text(lots))
                params = (symbol, _original(name), ("newClientOrderId", name), qty)
                return RestCall("PUT", f"{_ORDER}/amend/keepPriority", params)
            case CancelAll():
                return RestCall("DELETE", "/api/v3/openOrders", (symbol,))
            case QueryOrder(client_order_id=order_id):
                return RestCall("GET", _ORDER, (symbol, _original(encode_id(order_id))))
            case ResyncBook():
                raise AssertionError("ResyncBook is done by the market-data side, not sent")
            case _:
                assert_never(command)


def _original(name: str) -> tuple[str, str]:
    return "origClientOrderId", name


def _order(order: PlaceOrder | ReplaceOrder, grids: InstrumentGrids) -> tuple[tuple[str, str], ...]:
    """Parameters of a new order; see `order_codec` for the choice of response and self-trade mode."""
    head = (
        ("side", order.side.name),
        ("quantity", grids.lots.text(order.qty_lots)),
        ("price", grids.ticks.text(order.price_ticks)),
        ("newClientOrderId", encode_id(order.client_order_id)),
        ("newOrderRespType", "ACK"),
    )
    if order.tif is TimeInForce.POST_ONLY:
        return (*head, ("type", "LIMIT_MAKER"))
    return (
        *head,
        ("type", "LIMIT"),
        ("timeInForce", order.tif.name),
        ("selfTradePreventionMode", "EXPIRE_MAKER"),
    )
