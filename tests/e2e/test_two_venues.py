"""Two embedded exchanges at once: apart in books and accounts, together in price, the second one late."""

import asyncio
import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from adapters.binance_spot.sandbox import Sandbox
from adapters.binance_spot.sandbox_options import SandboxOptions
from adapters.binance_spot.sandbox_venues import linked, running
from mmd.analytics.report import make_report
from mmd.errors import ConfigError
from mmd.exchange.flow_interactive import InteractiveFlow
from mmd.journal.reader import latest_session
from tests.daemon import ROOT, mmd
from tests.replays import replayed
from tests.sandbox_client import rest

_ORDER = {"symbol": "MMDUSDT", "side": "BUY", "type": "LIMIT_MAKER", "price": "99", "quantity": "1"}
_STEP_NS = 50_000_000
_LAG_MS = 200
TWO_VENUES = ROOT / "deploy/config/two-venues.toml"


async def test_orders_and_balances_are_of_one_venue() -> None:
    """What is placed on the first is unknown to the second; both trade the same symbol."""
    async with running(SandboxOptions(), venues=2, lag_ms=_LAG_MS) as (first, second):
        async with rest(first) as one, rest(second) as two:
            _, placed, _ = await one.signed("POST", "/api/v3/order", **_ORDER)
            assert placed["clientOrderId"]
            for client, count in ((one, 1), (two, 0)):
                _, opened, _ = await client.signed("GET", "/api/v3/openOrders")
                assert len(opened) == count
            _, account, _ = await two.signed("GET", "/api/v3/account")
            assert {b["locked"] for b in account["balances"]} == {"0.00000000"}
        assert first.rest_url != second.rest_url


def _paths(sandboxes: list[Sandbox], steps: int) -> list[list[tuple[float, Any, Any]]]:
    """Efficient price and touch of each venue after each 50 ms, on virtual time."""
    paths = []
    for sandbox in sandboxes:
        (flow,) = sandbox.flows
        assert isinstance(flow, InteractiveFlow)
        book = sandbox.exchange.markets[0].book
        start_ns = flow.next_ns - flow.next_ns % _STEP_NS
        rows = []
        for step in range(1, steps + 1):
            flow.advance(start_ns + step * _STEP_NS)
            rows.append((flow.latent_ticks, book.best_bid, book.best_ask))
        paths.append(rows)
    return paths


def _built(seed: int) -> list[Sandbox]:
    options = linked(SandboxOptions(seed=seed), venues=2, lag_ms=_LAG_MS)
    return [Sandbox(o, start_ns=10**18) for o in options]


def test_the_second_follows_the_first_with_the_lag() -> None:
    """Its price is the first one's of four steps before, its book is its own, and a seed repeats it all."""
    lag = _LAG_MS // 50
    first, second = _paths(_built(11), 400)
    assert [row[0] for row in second[lag:]] == [row[0] for row in first[:-lag]]
    assert [row[1:] for row in first] != [row[1:] for row in second]
    mids = [[(bid + ask) / 2 for _, bid, ask in rows] for rows in (first, second)]
    late = sum(abs(a - b) for a, b in zip(mids[0][:-lag], mids[1][lag:], strict=True))
    early = sum(abs(a - b) for a, b in zip(mids[0][lag:], mids[1][:-lag], strict=True))
    assert late < early, (
        "the second venue's mid is nearer to the first one's past than to its future"
    )
    assert [first, second] == _paths(_built(11), 400)
    assert [first, second] != _paths(_built(12), 400)


def test_a_tape_cannot_be_several_venues() -> None:
    """The error says which options exclude each other."""
    with pytest.raises(ConfigError, match="leave --venues or --tape away"):
        linked(SandboxOptions(tapes=("day.gz",)), venues=2, lag_ms=0)


async def test_the_command_serves_both() -> None:
    """One line each, on ports of their own; both answer."""
    command = ("-m", "mmd.cli.main", "exchange", "--port", "0", "--venues", "2", "--lag-ms", "200")
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        lines = [(await process.stdout.readline()).decode() for _ in range(2)]
        addresses = [re.search(r"listening on (http://\S+) ", line)[1] for line in lines]
        assert len(set(addresses)) == 2
        for address in addresses:
            body = await asyncio.to_thread(_body, f"{address}/api/v3/ticker/bookTicker")
            assert b"MMDUSDT" in body
    finally:
        process.terminate()
        assert await process.wait() == 0


def _body(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read()


def test_one_daemon_trades_at_both(tmp_path: Path) -> None:
    """As a user would: it starts both, quotes at both, and everything agrees with them at the end and in a replay."""
    small = ("--set", "arbitrage.profit_min=0.001", "--set", "arbitrage.slippage_share=0")
    free = ("--set", "http.port=0", "--set", "embedded.port=0")
    run = ("run", "--config", TWO_VENUES, "--for", "12s", "--summary", "s.json")
    done = mmd(*run, *free, *small, cwd=tmp_path)
    assert done.code == 0, done.err
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["instruments"] == ["first:MMDUSDT", "second:MMDUSDT"]
    assert summary["feed"]["gaps"] == summary["feed"]["book_mismatches"] == 0
    assert summary["reconciliation"] == {"position_drift": 0, "open_orders_left": 0}
    assert summary["pnl"]["identity_error"] == 0
    again = replayed(latest_session(tmp_path / "var/journal-two-venues"))
    assert again.divergence is None
    assert [m.counts.acked > 0 for m in again.engine.makers] == [True, True]
    cross = again.engine.crossvenue
    assert cross is not None
    assert summary["arbitrage"]["opportunities"] == cross.scanner.opportunities.opened
    assert cross.executor is not None
    assert summary["arbitrage"]["realised_net"] == cross.executor.realised_net
    found = make_report(latest_session(tmp_path / "var/journal-two-venues")).metrics
    for source in ("spread", "arbitrage", "hedging", "rebates"):
        reported = sum(getattr(m.attribution, source) for m in found)
        assert reported == pytest.approx(summary["pnl"]["sources"][source], abs=1e-6), source
    assert {v: latency.answers > 0 for v, latency in cross.latencies.by_venue.items()} == {
        "first": True,
        "second": True,
    }
