"""Parts that live and fall together: quotes are pulled first, nothing is left running."""

import asyncio

import pytest

from mmd.errors import VenueError
from mmd.shell.supervisor import supervise


async def forever() -> None:
    await asyncio.Event().wait()


async def at_once() -> None:
    """A part that has nothing to do."""


def tasks_left() -> set[asyncio.Task]:
    return asyncio.all_tasks() - {asyncio.current_task()}


async def no_fault(part: str) -> None:
    raise AssertionError(part)


async def test_the_event_ends_everything() -> None:
    """No fault is reported and no task is left."""
    until = asyncio.Event()
    asyncio.get_running_loop().call_soon(until.set)
    await supervise({"a": forever(), "b": forever()}, until, no_fault)
    assert tasks_left() == set()


async def test_a_part_that_ends_is_no_fault() -> None:
    """The others go on; when none is left it is over."""
    until = asyncio.Event()
    running = asyncio.create_task(
        supervise({"short": at_once(), "long": forever()}, until, no_fault)
    )
    await asyncio.sleep(0.01)
    assert not running.done()
    until.set()
    await running
    await supervise({"short": at_once()}, asyncio.Event(), no_fault)


@pytest.mark.parametrize("error", [VenueError("refused"), ZeroDivisionError("a bug")])
async def test_a_fall_pulls_quotes_while_the_others_still_run(error: Exception) -> None:
    """The venue's connection is needed for the cancels: it is torn down after them, and the error goes up."""
    at_fault: list[object] = []
    stopped: list[str] = []

    async def fall() -> None:
        await asyncio.sleep(0)
        raise error

    async def venue() -> None:
        try:
            await forever()
        finally:
            stopped.append("venue")

    async def pull_quotes(part: str) -> None:
        await asyncio.sleep(0.01)
        at_fault.append((part, list(stopped)))

    with pytest.raises(type(error)) as caught:
        await supervise({"model": fall(), "venue": venue()}, asyncio.Event(), pull_quotes)
    assert caught.value is error
    assert at_fault == [("model", [])]
    assert stopped == ["venue"]
    assert tasks_left() == set()


async def test_a_cancelled_supervisor_leaves_nothing() -> None:
    """Its parts end with it."""
    running = asyncio.create_task(supervise({"a": forever()}, asyncio.Event(), no_fault))
    await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert tasks_left() == set()
