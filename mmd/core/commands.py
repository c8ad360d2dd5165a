"""What the engine may ask of a venue. Only the risk gate makes an Approved one, and only those are sent."""

from typing import Generic, TypeVar

import msgspec

from mmd.core.units import ClientOrderId, InstrumentId, Side, TimeInForce


class _Command(msgspec.Struct, frozen=True, array_like=True):
    """Base of all commands."""

    instrument: InstrumentId


class PlaceOrder(_Command, frozen=True, tag=1):
    """A new limit order."""

    client_order_id: ClientOrderId
    side: Side
    price_ticks: int
    qty_lots: int
    tif: TimeInForce


class CancelOrder(_Command, frozen=True, tag=2):
    """Take one order back."""

    client_order_id: ClientOrderId


class ReplaceOrder(_Command, frozen=True, tag=3):
    """Cancel one order and place another in one request; if the cancel fails nothing is placed."""

    cancel_id: ClientOrderId
    client_order_id: ClientOrderId
    side: Side
    price_ticks: int
    qty_lots: int
    tif: TimeInForce


class AmendOrder(_Command, frozen=True, tag=4):
    """Shrink an order to qty_lots in total (filled part included), keeping its place in the queue."""

    client_order_id: ClientOrderId
    qty_lots: int


class CancelAll(_Command, frozen=True, tag=5):
    """Take back every order of the instrument that is ours."""


class QueryOrder(_Command, frozen=True, tag=6):
    """Ask what became of an order."""

    client_order_id: ClientOrderId


class ResyncBook(_Command, frozen=True, tag=7):
    """The book has a gap or is crossed: start its snapshot procedure again."""


Command = PlaceOrder | CancelOrder | ReplaceOrder | AmendOrder | CancelAll | QueryOrder | ResyncBook
CommandT_co = TypeVar("CommandT_co", bound=Command, covariant=True)


class Approved(Generic[CommandT_co]):
    """A command that passed the risk gate. Made by `mmd.core.risk.gate` and by nothing else."""

    __slots__ = ("command",)

    def __init__(self, command: CommandT_co, gate: object) -> None:
        """Wrap a command; `gate` must be the risk gate's own token."""
        assert gate is GATE_TOKEN, "only the risk gate approves commands"
        self.command = command


GATE_TOKEN = object()
"""Held by the risk gate (mmd.core.risk.gate); a tidy test checks that nothing else names it."""
