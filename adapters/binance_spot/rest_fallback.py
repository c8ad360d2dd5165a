"""Order commands over REST while the WebSocket API is down; the same events tell what became of them."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import structlog

from adapters.binance_spot.order_ids import decode_id
from adapters.binance_spot.order_replies import ReplyDecoder, refused, timed_out
from adapters.binance_spot.rest_api import RestApi
from adapters.binance_spot.rest_orders import RestOrderEncoder
from adapters.binance_spot.user_data import UserDataDecoder
from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
)
from mmd.core.events import Event, OrderStatus, RejectReason
from mmd.core.instrument import Instrument
from mmd.core.ports import Clock
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import CodecError, VenueError
from mmd.shell.connect_error import HttpRefusedError

_QUEUE_MAX = 256
_WORKERS = 4
_RISK_REDUCING = (CancelOrder, CancelAll, AmendOrder, QueryOrder)
_NEW_ORDERS = (PlaceOrder, ReplaceOrder)
_ORDER_AGE_MAX_NS = NANOS_PER_SECOND
_log = structlog.get_logger()


class RestFallback:
    """Carries out commands one after the other, a few at a time; a command beyond 256 waiting is refused."""

    def __init__(
        self,
        takes: Literal["off", "cancels", "all"],
        instruments: Sequence[Instrument],
        api: RestApi,
        replies: ReplyDecoder,
        user_data: UserDataDecoder,
        clock: Clock,
    ) -> None:
        """`takes` is the setting rest_fallback. Nothing is sent before `run`."""
        kinds: dict[str, tuple[type[Command], ...]] = {
            "off": (),
            "cancels": _RISK_REDUCING,
            "all": (*_RISK_REDUCING, *_NEW_ORDERS),
        }
        self._kinds = kinds[takes]
        self._encoder = RestOrderEncoder(instruments)
        self._api = api
        self._replies = replies
        self._user_data = user_data
        self._clock = clock
        self._queue: asyncio.Queue[tuple[Command, int, int]] = asyncio.Queue(_QUEUE_MAX)
        self.last_sent_ns = 0
        """When a command was last sent: until its recvWindow is over it may still arrive."""

    def takes(self, command: Command) -> bool:
        """Whether a command of this kind may go over REST and there is room for it."""
        return isinstance(command, self._kinds) and not self._queue.full()

    def put(self, command: Command, settled_ns: int) -> None:
        """Have a command carried out; a query not before `settled_ns`.

        Until then a request that was lost with its connection may still arrive, and "no such order" would
        say nothing.
        """
        self._queue.put_nowait((command, settled_ns, self._clock.monotonic_ns()))

    async def run(self, emit: Callable[[Event], None]) -> None:
        """Carry out what comes until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_WORKERS):
                group.create_task(self._work(emit))

    async def _work(self, emit: Callable[[Event], None]) -> None:
        while True:
            command, settled_ns, put_ns = await self._queue.get()
            now_ns = self._clock.monotonic_ns()
            if isinstance(command, _NEW_ORDERS) and now_ns - put_ns > _ORDER_AGE_MAX_NS:
                text = "not sent: it waited too long, the market that it was made for is gone"
                _tell(refused(command, RejectReason.OTHER, 0, text, now_ns), emit)
                continue
            if isinstance(command, QueryOrder):
                late_s = (settled_ns - self._clock.monotonic_ns()) / NANOS_PER_SECOND
                await asyncio.sleep(max(0.0, late_s))
            _log.warning("order_over_rest", command=type(command).__name__)
            try:
                if isinstance(command, CancelAll):
                    await self._cancel_own(command, emit)
                else:
                    await self._ask(command, emit)
            except HttpRefusedError as error:
                now_ns, reason = self._clock.monotonic_ns(), RejectReason.RATE_LIMIT
                _tell(refused(command, reason, error.status, str(error), now_ns), emit)
            except (VenueError, CodecError) as error:  # doubt is reported as such
                _log.warning("order_over_rest_failed", error=str(error))
                _tell(timed_out(command, self._clock.monotonic_ns()), emit)

    async def _ask(self, command: Command, emit: Callable[[Event], None]) -> None:
        self.last_sent_ns = self._clock.monotonic_ns()
        frame = await self._api.carry_out(self._encoder.encode(command))
        for event in self._replies.events(command, frame, self._clock.monotonic_ns()):
            if isinstance(command, QueryOrder) and isinstance(event, OrderStatus):
                await self._tell_fills_of(event, emit)
            emit(event)

    async def _cancel_own(self, command: CancelAll, emit: Callable[[Event], None]) -> None:
        """Everything at once where all is ours, else one by one: without user data nobody knows before."""
        orders = await self._api.open_orders(self._encoder.symbol_of(command.instrument))
        ours = [decode_id(order.client_order_id) for order in orders]
        if ours and None not in ours:
            await self._ask(command, emit)
            return
        for order_id in ours:
            if order_id is not None:
                await self._ask(CancelOrder(command.instrument, order_id), emit)

    async def _tell_fills_of(self, status: OrderStatus, emit: Callable[[Event], None]) -> None:
        """The fills that a status counts come before it; some may not have been told yet."""
        if status.filled_lots == 0:
            return
        symbol = self._encoder.symbol_of(status.instrument)
        for trade in await self._api.trades_of(symbol, status.venue_order_id):
            now_ns = self._clock.monotonic_ns()
            order_id = status.client_order_id
            emit(self._user_data.trade(status.instrument, order_id, trade, now_ns))


def _tell(events: Iterator[Event], emit: Callable[[Event], None]) -> None:
    for event in events:
        emit(event)
