"""The testnet smoke run's own steps, against the embedded exchange; and how it skips."""

import subprocess
import sys
from pathlib import Path

from tests.sandbox_smoke import smoke
from tests.unit.adapters.binance_spot.venue_rig import rig

ROOT = Path(__file__).parents[2]


async def test_every_step_works_on_the_embedded_exchange():
    """Signed, subscribed, reconciled, placed, amended, cancelled, reconciled."""
    async with rig(started=False) as r:
        lines = [line async for line in smoke(r.venue)]
    steps = [line.partition(":")[0] for line in lines]
    assert steps == [
        "signed", "subscribed", "reconciled", "placed", "amended", "cancelled", "reconciled",
    ]  # fmt: skip
    for method in ("order.place", "order.amend.keepPriority", "order.cancel", "order.status"):
        assert method in r.requests


def _smoke(**env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.sandbox_smoke"],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_without_a_key_it_skips_with_one_line():
    """Nothing is sent, nothing fails."""
    done = _smoke()
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith("sandbox-smoke: skipped, no key: set MMD_VENUES__BINANCE__API_KEY")


def test_without_a_network_it_skips_with_one_line():
    """The address that did not answer is named; the key is not."""
    done = _smoke(
        MMD_VENUES__BINANCE__API_KEY="the-key",
        MMD_VENUES__BINANCE__API_SECRET="the-secret",
        MMD_VENUES__BINANCE__REST_URL="http://127.0.0.1:1",
    )
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert line.startswith(
        "sandbox-smoke: skipped, no network: nothing is listening at 127.0.0.1:1"
    )
    assert "the-" not in line
