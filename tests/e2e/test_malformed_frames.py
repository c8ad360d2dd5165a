"""A feed that goes wrong in every way that a frame can, while the daemon quotes on it."""

import json
import signal
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from tests.frame_proxy import FrameProxy, Tamper
from tests.live_daemon import LiveDaemon, running

OVERSIZED = 8 * 2**20 + 1


def edited(change: Callable[[dict[str, Any]], None]) -> Tamper:
    """A tamper that changes a depth frame's data."""

    def tamper(text: str) -> list[str]:
        frame = json.loads(text)
        change(frame["data"])
        return [json.dumps(frame)]

    return tamper


SKIPS = {"gap": lambda text: []}
"""The feed goes on, the book does not: it asks for a snapshot."""
HARMLESS = {"duplicate": lambda text: [text, text]}
FATAL = {
    "cut short": lambda text: [text[:-7]],
    "price between ticks": edited(lambda d: d["b"].append(["100.0050", "1.00000000"])),
    "unknown symbol": edited(lambda d: d.update(s="NOSUCHUSDT")),
    "oversized": lambda text: ["[" + " " * OVERSIZED + "]"],
}
"""The connection cannot be trusted any more: it is replaced."""


async def compare_top_20(daemon: LiveDaemon, proxy: FrameProxy) -> None:
    """The daemon's book equals what the venue published at the same update id."""
    row = await daemon.instrument(
        lambda i: i["book"]["synced"] and i["book"]["update_id"] in proxy.tops
    )
    for ours, theirs in zip(
        (row["book"]["bids"], row["book"]["asks"]),
        proxy.tops[row["book"]["update_id"]],
        strict=True,
    ):
        assert [tuple(map(Decimal, level)) for level in ours] == [
            tuple(map(Decimal, level)) for level in theirs
        ]


async def test_every_bad_frame_ends_in_a_right_book(tmp_path: Path) -> None:
    """The daemon lives, says what was wrong, builds the book again, quotes on, and ends with nothing left behind."""
    async with (
        Sandbox(SandboxOptions(seed=3)) as sandbox,
        FrameProxy(sandbox.rest_url) as proxy,
        running(tmp_path, proxy.port, "--summary", "s.json") as daemon,
    ):
        await daemon.quoting()
        downs = resyncs = 0
        for name, tamper in (HARMLESS | SKIPS | FATAL).items():
            before = await daemon.state()
            proxy.tampers.append(tamper)
            if name in FATAL:
                downs += 1
                await daemon.event("feed_down", downs)
            resyncs += name not in HARMLESS
            checks = before["instruments"][0]["book"]["checks"]
            row = await daemon.instrument(
                lambda i, n=resyncs, c=checks: (
                    i["book"]["resyncs"] == n
                    and i["book"]["checks"] > c + 1
                    and i["book"]["synced"]
                )
            )
            assert not proxy.tampers
            assert row["book"]["mismatches"] == 0, name
            await compare_top_20(daemon, proxy)
        await daemon.quoting()
        done, _ = await daemon.end(signal.SIGTERM)
    assert done.code == 0, done.err
    reasons = [row["reason"] for row in daemon.logged("feed_down")][: len(FATAL)]
    for reason, says in zip(reasons, ("JSON", "100.0050", "NOSUCHUSDT", "exceeds"), strict=True):
        assert says in reason
    assert done.error_lines == []
    summary = json.loads((tmp_path / "s.json").read_text())
    feed = summary["feed"]
    assert (feed["book_mismatches"], feed["gaps"], feed["resyncs"]) == (0, 1, 1 + len(FATAL))
    assert summary["reconciliation"] == {"position_drift": 0, "open_orders_left": 0}
    assert summary["pnl"]["identity_error"] == 0
