"""The garbage collector is off in between, runs on a timer, and is given back as it was."""

import asyncio
import gc
import weakref

import pytest

from mmd.shell import quiet_gc
from mmd.shell.quiet_gc import quiet_collections


class Cycle:
    def __init__(self) -> None:
        self.me = self


async def test_collections_happen_on_the_timer_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cycle made inside stays until the timer, and is gone after it."""
    monkeypatch.setattr(quiet_gc, "PERIOD_S", 0.5)
    with quiet_collections(asyncio.get_running_loop()):
        assert not gc.isenabled()
        assert gc.get_freeze_count() > 0
        alive = weakref.ref(Cycle())
        await asyncio.sleep(0.01)
        assert alive() is not None
        await asyncio.sleep(1.0)
        assert alive() is None
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


async def test_it_is_given_back_after_an_error() -> None:
    """And the timer is gone."""
    loop = asyncio.get_running_loop()
    with pytest.raises(ZeroDivisionError), quiet_collections(loop):
        raise ZeroDivisionError
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
