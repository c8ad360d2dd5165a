"""Keeps the daemon's long-running parts together: when one falls, orders are pulled first, then all stop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import structlog

from mmd.errors import MmdError

END_TIMEOUT_S = 5.0
_log = structlog.get_logger()


async def supervise(
    parts: Mapping[str, Coroutine[Any, Any, None]],
    until: asyncio.Event,
    on_fault: Callable[[str], Awaitable[None]],
) -> None:
    """Run the parts until the event is set or one of them falls.

    Args:
        parts: Long-running coroutines by name; a part that returns has done its work.
        until: Set by whoever wants the daemon to end (a signal, the duration).
        on_fault: Awaited before anything is torn down if a part fails: it must pull the quotes, and come
            to an end by itself.

    Raises:
        Exception: Whatever the failed part raised, after every other part was cancelled.
    """
    tasks = {asyncio.create_task(part, name=name) for name, part in parts.items()}
    stop = asyncio.create_task(_wait(until), name="until")
    tasks.add(stop)
    pending = tasks
    try:
        while stop in pending and len(pending) > 1:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stop}:
                await _report(task, on_fault)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=END_TIMEOUT_S)


async def _wait(until: asyncio.Event) -> None:
    await until.wait()


async def _report(task: asyncio.Task[None], on_fault: Callable[[str], Awaitable[None]]) -> None:
    """Pull orders and pass the failure on; a part that ended by itself is only noted."""
    error = task.exception() if not task.cancelled() else None
    if error is None:
        _log.info("part_ended", part=task.get_name())
        return
    if isinstance(error, MmdError):
        _log.error("part_failed", part=task.get_name(), error=str(error))
    else:
        _log.error("part_crashed", part=task.get_name(), exc_info=error)
    await on_fault(task.get_name())
    raise error
