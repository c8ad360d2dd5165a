"""A daemon in which something breaks: quotes are pulled before it goes down, whatever it was."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.binance_spot.market_codec import MarketCodec
from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from mmd.config import load
from mmd.core.engine import Engine
from mmd.core.risk.levels import RiskLevel
from mmd.daemon import Daemon, RunOptions
from mmd.journal.reader import latest_session, records
from tests.daemon import EMBEDDED


class BugError(Exception):
    """What nobody expected."""


def breaks_once_orders_work(sandbox: Sandbox, whole: Any) -> Any:
    """The method, until the exchange holds orders."""

    def call(*args: Any) -> Any:
        if sandbox.exchange.history.open_orders("main", 0):
            raise BugError
        return whole(*args)

    return call


def daemon(sandbox: Sandbox, folder: Path, **options: Any) -> Daemon:
    """Against a running exchange, in this process and loop."""
    overrides = {
        "embedded.autostart": False, "embedded.port": sandbox.port, "http.port": 0, "journal.folder": str(folder),
    }  # fmt: skip
    return Daemon(load(EMBEDDED, overrides), RunOptions(**options))


@pytest.mark.parametrize(
    ("owner", "method"),
    [(Engine, "decide"), (Engine, "_on_timer"), (MarketCodec, "decode")],
    ids=lambda x: getattr(x, "__name__", x),
)
async def test_a_bug_pulls_the_quotes_and_goes_up(
    owner: type, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the engine's decision, in a timer, in a feed's callback: no order is left, and the journal is closed."""
    async with Sandbox(SandboxOptions(seed=5)) as sandbox:
        monkeypatch.setattr(owner, method, breaks_once_orders_work(sandbox, getattr(owner, method)))
        async with asyncio.timeout(30):
            with pytest.raises(BugError):
                await daemon(sandbox, tmp_path).run()
        assert not sandbox.exchange.history.open_orders("main", 0)
    assert len(list(records(latest_session(tmp_path)))) > 10


async def test_it_ends_by_itself_after_its_time(tmp_path: Path) -> None:
    """With a summary of what it did, and no task left behind."""
    async with Sandbox(SandboxOptions(seed=5)) as sandbox:
        before = len(asyncio.all_tasks())
        summary = await daemon(sandbox, tmp_path, duration_s=1.5).run()
        assert not sandbox.exchange.history.open_orders("main", 0)
        await asyncio.sleep(0.1)
        assert len(asyncio.all_tasks()) <= before
    assert summary.orders.sent == summary.orders.acked + summary.orders.rejected >= 6
    assert 1.5 <= summary.duration_s < 5
    assert summary.reconciliation.open_orders_left == 0
    assert RiskLevel[summary.risk.level] <= RiskLevel.HALTED
