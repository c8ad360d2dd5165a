"""A recording served over real sockets: its ids, its book, its trades, its end, and our fills in it."""

import gzip
from decimal import Decimal
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest

from adapters.binance_spot.raw_tape import actions, infer_instrument
from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from mmd.exchange.tape_actions import TapeDiff, TapeTrade
from tests.recordings import recording
from tests.sandbox_client import rest, socket


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """The first 3,000 frames of a spot recording whose snapshot comes after its first diffs."""
    path = tmp_path / "cut.txt"
    with gzip.open(recording("binance-raw/spot-btcusdt-20240808.gz"), "rb") as whole:
        path.write_bytes(b"".join(islice(whole, 3000)))
    return path


async def _heard(sandbox: Sandbox, streams: str) -> list[dict[str, Any]]:
    """Everything that a reader gets until the tape's end."""
    async with socket(f"{sandbox.stream_url}/stream?streams={streams}") as stream:
        assert sandbox.pump is not None
        await sandbox.run_to_end()
        await stream.ws.ping()
        answer = await stream.request(method="LIST_SUBSCRIPTIONS", id="last")
        assert answer["id"] == "last"
        return stream.events


def _options(tape: Path, **changes: object) -> SandboxOptions:
    return SandboxOptions(tapes=(tape,), speed=None, **changes)


async def test_served_ids_trades_and_books_are_the_recordings(tape: Path) -> None:
    """Nothing is lost, added or renumbered while no account trades."""
    at = infer_instrument([tape])
    recorded = list(actions([tape], at))
    async with Sandbox(_options(tape)) as sandbox:
        heard = await _heard(sandbox, "btcusdt@depth@100ms/btcusdt@trade")
        final = sandbox.exchange.markets[0].book
    diffs = [a for a in recorded if isinstance(a, TapeDiff)]
    served = [h["data"] for h in heard if h["data"]["e"] == "depthUpdate"]
    assert [d["u"] for d in served] == [d.last_id for d in diffs][-len(served) :]
    assert len(diffs) - len(served) <= 8
    assert all(b["U"] == a["u"] + 1 for a, b in pairwise(served))
    for diff, event in zip(diffs[-len(served) :], served, strict=True):
        for changes, levels in ((event["b"], diff.bids), (event["a"], diff.asks)):
            texts = {at.ticks(Decimal(p)): at.lots(Decimal(q)) for p, q in changes}
            assert texts == dict(levels)
    trades = [(a.trade_id, a.qty_lots) for a in recorded if isinstance(a, TapeTrade)]
    got = [
        (h["data"]["t"], at.lots(Decimal(h["data"]["q"])))
        for h in heard
        if h["data"]["e"] == "trade"
    ]
    assert got == trades
    assert final.best_bid is not None
    assert final.best_ask is not None
    assert final.best_bid < final.best_ask


async def test_partial_books_carry_the_diffs_ids(tape: Path) -> None:
    """A depth20 message follows a diff with the same id, at most every 100 ms of exchange time."""
    async with Sandbox(_options(tape)) as sandbox:
        heard = await _heard(sandbox, "btcusdt@depth@100ms/btcusdt@depth20@100ms")
    last_id = None
    partials = 0
    for message in heard:
        if message["stream"].endswith("depth@100ms"):
            last_id = message["data"]["u"]
        else:
            assert message["data"]["lastUpdateId"] == last_id
            partials += 1
    assert partials > 50


async def test_the_clock_is_the_tapes_and_the_book_is_there_before_it_starts(tape: Path) -> None:
    """Until the first depth listener nothing moves; then /time has moved on by the tape's length."""
    async with Sandbox(_options(tape)) as sandbox, rest(sandbox) as client:
        _, before, _ = await client.public("/api/v3/depth", symbol="BTCUSDT", limit=5)
        assert before["lastUpdateId"] == 50093239218
        _, start, _ = await client.public("/api/v3/time")
        await _heard(sandbox, "btcusdt@depth@100ms")
        _, end, _ = await client.public("/api/v3/time")
        assert end["serverTime"] - start["serverTime"] > 20_000
        _, after, _ = await client.public("/api/v3/depth", symbol="BTCUSDT", limit=5)
        assert after["lastUpdateId"] > before["lastUpdateId"]


async def test_our_order_rests_in_the_tape_and_fills_by_its_trades(tape: Path) -> None:
    """An order that improves the touch is filled by the recording's next sellers, and ids shift by ours."""
    async with (
        Sandbox(_options(tape, quote_balance=Decimal(10**7))) as sandbox,
        rest(sandbox) as client,
    ):
        _, top, _ = await client.public("/api/v3/ticker/bookTicker", symbol="BTCUSDT")
        _, placed, _ = await client.signed(
            "POST",
            "/api/v3/order",
            symbol="BTCUSDT",
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            price=top["bidPrice"],
            quantity="0.01",
        )
        assert placed["status"] == "NEW"
        heard = await _heard(sandbox, "btcusdt@depth@100ms")
        queried = sandbox.exchange.history.find("main", 0, placed["orderId"], None)
    assert queried.filled_lots == queried.qty_lots
    events = [h["data"] for h in heard]
    assert all(b["U"] == a["u"] + 1 for a, b in pairwise(events))
    own = sandbox.exchange.markets[0].book.id_offset
    assert own >= 2
    last_recorded = [a for a in actions([tape], sandbox.instrument) if isinstance(a, TapeDiff)][-1]
    assert events[-1]["u"] - last_recorded.last_id == own


async def test_base_is_worth_as_much_as_quote_at_the_tapes_price(tape: Path) -> None:
    """A million of quote and its worth of base at the opening mid."""
    sandbox = Sandbox(_options(tape))
    account = sandbox.exchange.accounts["main"]
    mid = sandbox.exchange.markets[0].reference_ticks(0) * float(sandbox.instrument.tick_size)
    assert abs(account.free["BTC"] * mid / account.free["USDT"] - 1.0) < 1e-6
