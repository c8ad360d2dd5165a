"""The whole thing, as shipped: exchange process, daemon process, real sockets."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mmd.journal.format import Kind, event_decoder
from mmd.journal.reader import latest_session, records
from models.serving import models_of
from tests.daemon import EMBEDDED, Finished, mmd, run_embedded
from tests.replays import replayed

SECONDS = 40
TELL_KERNELS = {"NUMBA_DEBUG_CACHE": "1"}
"""Has the compiler say on standard output which file each kernel comes from, or goes to."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, dict[str, Any], Path]:
    """One run that all tests of this module look at."""
    folder = tmp_path_factory.mktemp("run")
    seconds = f"{SECONDS}s"
    done, summary = run_embedded(folder, "--for", seconds, "--seed", "7", **TELL_KERNELS)
    return done, summary, latest_session(folder / "var/journal")


def test_ends_cleanly(run: tuple[Finished, dict[str, Any], Path]) -> None:
    """Exit code 0, a table for people, no error line."""
    done, summary, _ = run
    assert done.code == 0, done.err
    assert "reconciliation" in done.out
    assert not any('"level": "error"' in line for line in done.err.splitlines())
    assert SECONDS <= summary["duration_s"] < SECONDS + 6


def test_the_pages_address_is_a_plain_line(run: tuple[Finished, dict[str, Any], Path]) -> None:
    """On standard output, for people; the log on standard error stays JSON, line by line."""
    (shown,) = re.findall(r"^(http://127\.0\.0\.1:\d+)  the live page", run[0].out, re.MULTILINE)
    log = [json.loads(line) for line in run[0].err.splitlines() if not line.startswith("compil")]
    assert shown == next(row["dashboard"] for row in log if row["event"] == "started")


def test_quotes_within_ten_seconds_of_the_start(run: tuple[Finished, dict[str, Any], Path]) -> None:
    """Compilation is counted apart."""
    _, summary, _ = run
    assert 0 < summary["startup_s"] < 10


def test_book_is_the_venues(run: tuple[Finished, dict[str, Any], Path]) -> None:
    """Top 20 compared at the same update id, again and again, without a difference, a gap or a resync."""
    feed = run[1]["feed"]
    assert feed["book_checks"] > 5 * SECONDS / 2
    assert feed["book_mismatches"] == feed["gaps"] == feed["resyncs"] == 0


def test_is_filled_as_maker_and_accounts_for_it_exactly(
    run: tuple[Finished, dict[str, Any], Path],
) -> None:
    """At least one maker fill; the PnL identity holds to the last integer; holdings equal the venue's."""
    summary = run[1]
    assert summary["fills"]["maker"] >= 1
    assert summary["fills"]["maker"] == summary["fills"]["count"]
    assert summary["pnl"]["identity_error"] == 0
    assert summary["pnl"]["total"] == pytest.approx(
        summary["pnl"]["realised"] + summary["pnl"]["unrealised"] - summary["pnl"]["fees"], abs=1e-9
    )
    assert summary["reconciliation"] == {"position_drift": 0, "open_orders_left": 0}


def test_orders_are_all_accounted_for(run: tuple[Finished, dict[str, Any], Path]) -> None:
    """Every order sent was acknowledged or refused, and every one ended as filled or canceled."""
    orders = run[1]["orders"]
    assert orders["sent"] >= 6
    assert orders["acked"] + orders["rejected"] == orders["sent"]
    assert orders["unknown"] == 0


def test_replays_to_byte_equal_commands(run: tuple[Finished, dict[str, Any], Path]) -> None:
    """The recorded session, fed to a fresh engine, commands the same bytes and ends in the same place."""
    _, summary, session = run
    result = replayed(session)
    assert result.divergence is None
    assert result.commands > 6
    maker = result.engine.makers[0]
    assert maker.ledger.fill_count == summary["fills"]["count"]
    assert maker.ledger.pnl is not None
    money = maker.ledger.pnl.position.money
    assert float(money.decimal(maker.ledger.pnl.total_units)) == pytest.approx(
        summary["pnl"]["total"]
    )


def test_replay_notices_a_changed_event(run: tuple[Finished, dict[str, Any], Path]) -> None:
    """A journal with one fill left out does not replay to the same commands: the comparison has teeth."""
    import mmd.journal.replay as module

    _, _, session = run
    all_records = list(records(session))
    fill = next(
        r
        for r in all_records
        if r.kind is Kind.EVENT and type(event_decoder.decode(r.body)).__name__ == "Fill"
    )
    stream = iter([r for r in all_records if r is not fill])
    head = next(stream)
    engine = module.Engine(module.spec_decoder.decode(head.body), models=models_of(session))
    assert module._Replay(engine, None).run(stream).divergence is not None


def test_check_compiles_every_kernel_that_a_session_needs(
    run: tuple[Finished, dict[str, Any], Path], tmp_path: Path
) -> None:
    """An image that was made with `mmd check --kernels` compiles nothing when it runs."""
    kept = re.compile(r"\[cache\] data (?:loaded from|saved to) '(.+)'")
    done = mmd("check", "--config", EMBEDDED, "--kernels", cwd=tmp_path, **TELL_KERNELS)
    assert done.code == 0, done.err
    checked, needed = set(kept.findall(done.out)), set(kept.findall(run[0].out))
    assert len(needed) > 10
    assert needed - checked == set()
