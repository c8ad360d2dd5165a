"""What a run amounted to: sums over instruments, and a page for people."""

import io

import msgspec
from rich.console import Console

from mmd.ops.summary import RunFacts, Summary, show, summarise
from tests.ops_state import cold, quoting, state_of

FACTS = RunFacts(
    duration_s=60.0,
    startup_s=1.5,
    compile_s=0.0,
    risk_level="NORMAL",
    breaches=2,
    open_orders_left=0,
    journal="var/journal/x",
)


async def test_it_sums_over_instruments() -> None:
    """Two instruments alike give twice of everything that is counted; differences add up by size."""
    one = state_of(quoting())
    (row,) = one.instruments
    less = msgspec.structs.replace(
        row, symbol="ODDUSDT", identity_error=-2, position_drift_atoms=-3
    )
    more = msgspec.structs.replace(row, identity_error=2, position_drift_atoms=3)
    summary = summarise(msgspec.structs.replace(one, instruments=[more, less]), FACTS)
    assert summary.instruments == ["embedded:MMDUSDT", "embedded:ODDUSDT"]
    assert (summary.orders.sent, summary.orders.acked) == (12, 12)
    assert (summary.fills.count, summary.fills.maker) == (2, 2)
    assert summary.feed.messages == 2 * row.book.messages
    assert summary.pnl.total == 2 * row.pnl_total
    assert summary.pnl.identity_error == 4, "opposite errors do not cancel out"
    assert summary.reconciliation.position_drift == 6
    assert (summary.risk.level, summary.risk.breaches) == ("NORMAL", 2)


async def test_it_is_one_page_and_survives_json() -> None:
    """The table has every part; the file reads back as it was."""
    summary = summarise(state_of(quoting()), FACTS)
    assert msgspec.json.decode(msgspec.json.encode(summary), type=Summary) == summary
    page = io.StringIO()
    show(summary, Console(file=page, width=160))
    text = page.getvalue()
    assert len(text.splitlines()) < 40
    for part in (
        "feed",
        "book",
        "orders",
        "fills",
        "PnL",
        "tick to order",
        "risk",
        "reconciliation",
        "var/journal/x",
    ):
        assert part in text
    assert "6 sent, 6 acked" in text


async def test_a_run_without_orders_claims_no_latency() -> None:
    """Neither a first quote nor a tick to order of 0, and no fees of less than nothing."""
    page = io.StringIO()
    show(summarise(state_of(cold()), FACTS), Console(file=page, width=200))
    text = page.getvalue()
    assert "no batch sent an order" in text
    assert "no quote, compilation" in text
    assert "fees +0.0000" in text
    assert "p50" not in text
