"""A feed outage, ordered by a preset from a file: silence, and a gap in the ids after it."""

import asyncio
from pathlib import Path

import msgspec

from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from mmd.calibration.catalogue import write_preset
from mmd.exchange.generator_phases import Phase
from mmd.exchange.presets import DEFAULT
from tests.sandbox_client import socket


async def test_an_outage_is_silent_and_leaves_a_gap(tmp_path: Path) -> None:
    """For 0.8 s of every 1.6 s; the first diff after it begins beyond the last one before."""
    path = tmp_path / "outage.json"
    phase = Phase(start_s=0.8, length_s=0.8, every_s=1.6, is_feed_silent=True)
    write_preset(msgspec.structs.replace(DEFAULT, phases=(phase,)), path)
    gaps = []
    async with (
        Sandbox(SandboxOptions(preset=str(path))) as sandbox,
        socket(f"{sandbox.stream_url}/ws/mmdusdt@depth@100ms") as stream,
        asyncio.timeout(20),
    ):
        before = await stream.event()
        while len(gaps) < 2:
            after = await stream.event()
            if after["U"] != before["u"] + 1:
                gaps.append(after["E"] - before["E"])
            before = after
    assert all(700 <= gap <= 1_300 for gap in gaps)
