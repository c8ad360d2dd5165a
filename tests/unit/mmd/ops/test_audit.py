"""The book audit: one line per applied depth update, none twice, none for what moved no book."""

import json
from pathlib import Path

import pytest

from mmd.core.events import FeedUp
from mmd.core.market.record import TRADE
from mmd.errors import ConfigError
from mmd.ops.audit import BookAudit
from tests.driver_bench import DriverBench
from tests.engine_bench import ZERO
from tests.ops_state import cold


def audited(bench: DriverBench, path: Path) -> BookAudit:
    audit = BookAudit(path, bench.real_engine)
    bench.driver.on_market_applied = audit.on_market_applied
    return audit


async def test_each_update_is_a_line_with_20_levels(tmp_path: Path) -> None:
    """Exact decimals, best first; trades and gaps write nothing, a snapshot does."""
    bench = cold()
    path = tmp_path / "audit.jsonl"
    with audited(bench, path):
        bench.event(FeedUp(bench.now_ns, ZERO))
        bench.snapshot()
        bench.diff({9_999: 0, 9_990: 7})
        bench.market(TRADE, {10_001: 5}, {}, last=1)
        bench.diff({9_998: 1}, gap=5)
        bench.snapshot(9_950, 9_960)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["symbol"] for row in rows] == ["MMDUSDT"] * 3
    ids = [row["update_id"] for row in rows]
    assert ids[1] == ids[0] + 1
    assert ids[2] > ids[1]
    assert rows[0]["bids"][0] == ["99.99", "5.000"]
    assert rows[1]["bids"][0] == ["99.98", "5.000"]
    assert ["99.90", "0.007"] in rows[1]["bids"]
    assert rows[2]["asks"][0] == ["99.60", "5.000"]
    assert {len(row["bids"]) for row in rows} == {20}


async def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """With the option's name and the path."""
    with pytest.raises(ConfigError, match=r"--book-audit .*nowhere/audit\.jsonl"):
        BookAudit(tmp_path / "nowhere/audit.jsonl", cold().real_engine)
