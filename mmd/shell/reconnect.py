"""Keeping a connection: run its life again whenever it ends, with waits between, until cancelled."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog

from mmd.core.ports import Clock
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import CodecError, VenueError, VenueUnreachableError
from mmd.shell.backoff import Backoff
from mmd.shell.connect_error import HttpRefusedError
from mmd.shell.websocket import WebSocket

T = TypeVar("T")
_SETTLED_NS = 10 * NANOS_PER_SECOND
"""A connection that lived this long counts as a success; shorter ones keep the waits growing."""
_log = structlog.get_logger()


async def keep_connected(
    live_once: Callable[[], Awaitable[None]], backoff: Backoff, clock: Clock, **log_keys: object
) -> None:
    """Call `live_once` for ever; it returns when a connection that was up is lost, and raises before.

    The first attempt of all must succeed, so that a wrong address or key is told at once; later failures
    are logged and tried again. What is neither a VenueError nor a CodecError is a bug and goes up.
    """
    was_up = False
    while True:
        started_ns = clock.monotonic_ns()
        wait_s = 0.0
        try:
            await live_once()
            was_up = True
        except (VenueError, CodecError) as error:
            if not was_up:
                raise
            wait_s = error.retry_after_s if isinstance(error, HttpRefusedError) else 0.0
            _log.warning("connect_failed", error=str(error), **log_keys)
        if clock.monotonic_ns() - started_ns > _SETTLED_NS:
            backoff.reset()
        await asyncio.sleep(backoff.next_s(at_least_s=wait_s))


async def while_open(ws: WebSocket, work: Coroutine[Any, Any, T]) -> T:
    """Result of `work`, given up as soon as the connection is gone.

    Raises:
        VenueUnreachableError: the connection went first; or whatever ended it, if that was an error.
    """
    task, gone = asyncio.create_task(work), asyncio.create_task(ws.wait_closed())
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ws.failure or VenueUnreachableError(f"connection lost: {ws.close_reason}")
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.wait((task, gone))
