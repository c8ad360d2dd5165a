"""The engine on a virtual clock: equal input, equal commands; time, money and the tape are respected."""

from decimal import Decimal
from pathlib import Path

import msgspec
import numpy as np
import pytest

from adapters.registry import RECORDING_FORMATS
from mmd.analytics import mids_ahead
from mmd.analytics.recorder import SAMPLES_MAX, Recorder
from mmd.analytics.session import read_session
from mmd.backtest.result import backtest_result
from mmd.backtest.run import (
    BacktestRequest,
    load_settings,
    prepare,
    run_backtest,
    run_watched,
)
from mmd.backtest.runner import BacktestRunner
from mmd.backtest.settings import BacktestSettings
from mmd.core.commands import Command
from mmd.core.market.book import levels
from mmd.core.risk.levels import RiskLevel
from mmd.core.units import Side
from mmd.errors import MmdError, TapeError
from mmd.exchange.fills.latency import Latency, constant
from mmd.journal.replay import replay
from mmd.tape.format import ROW
from mmd.tape.reader import Tape, open_tape
from tests.fill_bench import MS, START_NS, TapeBench, random_walk
from tests.recordings import recording
from tests.tapes import all_rows, books, frames_of, imported, write_tape

Sent = list[tuple[int, Command]]
QUICK = {"quoting.refresh_delay_ms": "0", "quoting.requote_tolerance_bps": "2"}


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Two minutes of a random market."""
    return random_walk(5, 3_000).write(tmp_path_factory.mktemp("walk") / "walk.tape.parquet")


def made(
    tape: Tape, *, is_fused: bool, overrides: dict[str, object] | None = None, **assumed: object
) -> tuple[BacktestRunner, Sent]:
    """A runner and the list that it writes its commands to."""
    request = BacktestRequest(
        tape=tape.path,
        settings=BacktestSettings(**assumed),
        overrides=QUICK | (overrides or {}),
    )
    runner = prepare(tape, request, load_settings(request))
    if not is_fused:
        runner = BacktestRunner(
            tape,
            runner.engine.spec,
            request.settings,
            dict(runner.exchange.account.free),
            is_fused=False,
        )
    sent: Sent = []
    runner.on_command = lambda command, now_ns: sent.append((now_ns, command))
    return runner, sent


@pytest.mark.parametrize("strategy", ["glft", "fixed"])
@pytest.mark.parametrize(
    ("cost_ns", "fair_value", "estimator"),
    [(0, "microprice", "ewma"), (3 * MS, "weighted_mid", "tsrv")],
)
def test_the_compiled_loop_commands_what_the_engine_would(
    walk: Tape, strategy: str, cost_ns: int, fair_value: str, estimator: str
) -> None:
    """Command by command and nanosecond by nanosecond, with the same account at the end."""
    overrides: dict[str, object] = {
        "quoting.spread_model": strategy,
        "quoting.fair_value": fair_value,
        "quoting.volatility_estimator": estimator,
    }
    runs = [
        made(
            walk,
            is_fused=fused,
            overrides=overrides,
            decision_cost_ns=cost_ns,
            feed=constant(2 * MS),
        )
        for fused in (True, False)
    ]
    for runner, _ in runs:
        runner.run()
    (fused, fused_sent), (plain, plain_sent) = runs
    assert len(plain_sent) > 50
    assert fused_sent == plain_sent
    assert fused.quiet_decisions > 100
    assert fused.decisions < plain.decisions
    assert fused.exchange.account.free == plain.exchange.account.free
    assert fused.maker.ledger.fill_count == plain.maker.ledger.fill_count > 10
    told = [
        msgspec.structs.replace(
            backtest_result(r, wall_s=1.0, cpu_s=1.0, overrides={}), decisions=0, quoted_ratio=0.0
        )
        for r, _ in runs
    ]
    assert told[0] == told[1]
    assert fused.quoted_ratio == pytest.approx(plain.quoted_ratio)


@pytest.mark.parametrize(
    ("entry", "response"),
    [
        (constant(0), constant(0)),
        (Latency(sample_ns=(5 * MS, 90 * MS)), Latency(sample_ns=(MS, 150 * MS), service_ns=MS)),
    ],
    ids=["at-once", "late-and-crowded"],
)
def test_orders_live_in_the_compiled_loop_as_they_would_outside(
    walk: Tape, entry: Latency, response: Latency
) -> None:
    """Sent, filled, replaced and refused on the way: both sides' books of orders and all counts are the same."""
    runs = [
        made(walk, is_fused=fused, entry=entry, response=response, queue="power")
        for fused in (True, False)
    ]
    for runner, _ in runs:
        runner.run()
    (fused, fused_sent), (plain, plain_sent) = runs
    assert fused_sent == plain_sent
    assert len(plain_sent) / 3 < fused.quiet_commands < len(plain_sent)
    assert fused.commands == plain.commands == len(plain_sent)
    for account in (fused.exchange.account, plain.exchange.account):
        assert min(account.free.values()) > 0
    assert fused.exchange.account.free == plain.exchange.account.free
    assert fused.exchange.account.locked == plain.exchange.account.locked
    assert fused.exchange.order_ids == plain.exchange.order_ids
    assert fused.exchange.rejects == plain.exchange.rejects
    assert fused.maker.ledger.fill_count == plain.maker.ledger.fill_count > 10
    assert fused.engine.first_order_ns == plain.engine.first_order_ns
    assert fused.quoted_ratio == plain.quoted_ratio
    told = [counted(r) for r, _ in runs]
    assert told[0] == told[1]
    assert told[0]["acked"] > 50


def counted(runner: BacktestRunner) -> dict[str, object]:
    """What the engine counts of its orders."""
    counts, gate = runner.maker.counts, runner.engine.gate
    plain = ("sent", "acked", "rejected", "canceled", "requoted", "requotes_skipped", "breaches")
    times = {"ack": counts.ack_times, "cancel": counts.cancel_times}
    return (
        {name: getattr(counts, name) for name in plain}
        | {name: (x.counts, x.total_ns) for name, x in times.items()}
        | {"gate": gate.counts.tolist(), "open": runner.maker.orders.open_lots}
    )


@pytest.mark.parametrize(
    "chosen",
    [
        {"spread_model": "glft", "glft_form": "closed"},
        {"spread_model": "avellaneda_stoikov", "close_utc": "16:00"},
        {"spread_model": "ho_stoll"},
        {"spread_model": "ho_stoll", "ho_stoll_form": "components"},
        {"spread_model": "dynamic"},
    ],
    ids=lambda chosen: "-".join(chosen.values()),
)
def test_models_that_the_compiled_loop_does_not_know_trade_without_it(
    walk: Tape, chosen: dict[str, str]
) -> None:
    """Every decision is the engine's, and the account comes out right."""
    overrides: dict[str, object] = {f"quoting.{k}": v for k, v in chosen.items()}
    runner, sent = made(walk, is_fused=True, overrides=overrides)
    runner.run()
    assert runner.quiet_decisions == 0
    assert len(sent) > 10
    result = backtest_result(runner, wall_s=1.0, cpu_s=1.0, overrides={})
    assert result.strategy == chosen["spread_model"]
    assert result.identity_error == 0


@pytest.mark.parametrize(
    ("pauses", "commands_min", "watched"),
    [("0", 500, "false"), ("30", 200, "false"), ("30", 200, "true")],
)
def test_the_compiled_loop_agrees_on_a_real_market(
    tmp_path: Path, pauses: str, commands_min: int, watched: str
) -> None:
    """Forty minutes of NEXO: quiet stretches, books stale after 3 s or after its own pace, and bursts."""
    file = recording("binance-spot-nexousdt/nexousdt_20240723.dat.gz")
    _, tape = imported(
        RECORDING_FORMATS["binance-raw"].importer(), [file], tmp_path / "nexo.tape.parquet"
    )
    end_ns = tape.header.counts.first_ns + 2_400 * 10**9
    overrides: dict[str, object] = {
        "risk.stale_book_pauses": pauses,
        "adverse_selection.enabled": watched,
    }
    runs = [
        made(tape, is_fused=fused, end_ns=end_ns, overrides=overrides) for fused in (True, False)
    ]
    for runner, _ in runs:
        runner.run()
    assert len(runs[0][1]) > commands_min
    assert runs[0][0].idle_timers > 1_000
    makers = [r.maker for r, _ in runs]
    assert makers[0].shaping.sigma_slow == makers[1].shaping.sigma_slow > 0.0
    if watched == "true":
        found = [m.adverse.selection for m in makers]
        assert found[0] is not None
        assert found[1] is not None
        assert found[0].record.tobytes() == found[1].record.tobytes()
        assert found[0].history.tobytes() == found[1].history.tobytes()
    estimates = [r.maker.quoter.intensity.tobytes() for r, _ in runs]
    assert estimates[0] == estimates[1]
    assert runs[0][1] == runs[1][1]


@pytest.mark.parametrize(
    "limits",
    [
        {"risk.orders_per_10s": 4},
        {"risk.order_to_trade_max": 2, "risk.order_to_trade_grace": 30},
        {"quoting.requote_interval_ms": 700, "quoting.refresh_delay_ms": 900},
    ],
    ids=["order_budget", "order_to_trade", "waiting"],
)
def test_the_compiled_loop_refuses_what_the_gate_would(
    walk: Tape, limits: dict[str, object]
) -> None:
    """Order by order: what is refused for its reason, the numbers that it uses up, what is tried again and when."""
    runs = [
        made(walk, is_fused=fused, overrides=limits, feed=constant(2 * MS))
        for fused in (True, False)
    ]
    for runner, _ in runs:
        runner.run()
    (fused, fused_sent), (plain, plain_sent) = runs
    assert fused.decisions < plain.decisions / 3
    assert fused.engine.gate.counts == plain.engine.gate.counts
    assert fused.maker.counts.requotes_skipped == plain.maker.counts.requotes_skipped
    assert len(plain_sent) > 10
    assert fused_sent == plain_sent


@pytest.mark.parametrize(("seed", "orders"), [(4, 10), (4, 20), (5, 20)])
def test_frames_that_come_with_a_timer_are_decided_on_once(
    tmp_path: Path, seed: int, orders: int
) -> None:
    """The timer is applied, then all is decided: what is refused then is tried again at the next one.

    Every frame comes at a time of the timers' grid, some after a pause in which timers were left out. Where the loop takes
    the timer of such a time after its decision, it is refused twice on these tapes, and everything later is another.
    """
    rows, grid_ns = np.array(random_walk(seed, 800).rows, ROW), 100 * MS
    for name in ("ts_event_ns", "ts_recv_ns"):
        rows[name] = START_NS - (START_NS - rows[name]) // grid_ns * grid_ns
    tape = write_tape(tmp_path / "grid.tape.parquet", rows)
    limits: dict[str, object] = {"risk.orders_per_10s": orders}
    runs = [made(tape, is_fused=fused, overrides=limits) for fused in (True, False)]
    for runner, _ in runs:
        runner.run()
    (fused, fused_sent), (plain, plain_sent) = runs
    assert fused.idle_timers > 100
    assert fused.engine.gate.counts == plain.engine.gate.counts
    assert len(plain_sent) > 10
    assert fused_sent == plain_sent


@pytest.mark.parametrize("limit", ["0.03", "0.05"])
def test_the_compiled_loop_stops_at_the_same_drawdown(walk: Tape, limit: str) -> None:
    """A limit that is reached between two fills is seen at the timer at which the engine sees it."""
    overrides: dict[str, object] = {"risk.drawdown_max": limit}
    runs = [made(walk, is_fused=fused, overrides=overrides) for fused in (True, False)]
    for runner, _ in runs:
        runner.run()
    (fused, fused_sent), (plain, plain_sent) = runs
    assert plain.engine.levels.level is RiskLevel.HALTED
    assert fused.engine.levels.history == plain.engine.levels.history
    assert fused_sent == plain_sent


ANSWERING = {
    "adverse_selection.mode": "threshold",
    "adverse_selection.tests_min": 1,
    "adverse_selection.size_ratio_max": 0.3,
    "adverse_selection.response_halflife_s": 5.0,
}
"""Nearly every fill is adverse, and the answer fades and comes back all the time."""


@pytest.mark.parametrize("strategy", ["glft", "fixed"])
def test_the_compiled_loop_sees_every_answer_to_adverse_fills(
    walk: Tape, tmp_path: Path, strategy: str
) -> None:
    """Quotes change on fills and on the timer alone, so it need not know why; and the journal replays."""
    overrides: dict[str, object] = ANSWERING | {"quoting.spread_model": strategy}
    runs = [made(walk, is_fused=fused, overrides=overrides) for fused in (True, False)]
    for runner, _ in runs:
        runner.run()
    watch = runs[0][0].maker.adverse.selection
    assert watch is not None
    assert watch.record["adverse"][0] > 5
    assert runs[0][0].quiet_decisions > 100
    assert runs[0][1] == runs[1][1]
    assert runs[0][1] != made_and_run(walk, {"quoting.spread_model": strategy})
    request = BacktestRequest(
        tape=walk.path, overrides=QUICK | overrides, journal=tmp_path / "session"
    )
    run_backtest(request)
    assert replay(tmp_path / "session").divergence is None


def made_and_run(tape: Tape, overrides: dict[str, object]) -> Sent:
    """What a run sends."""
    runner, sent = made(tape, is_fused=True, overrides=overrides)
    runner.run()
    return sent


def test_a_journalled_backtest_replays_to_the_same_commands(walk: Tape, tmp_path: Path) -> None:
    """The journal is an ordinary one, and the run the same as without it."""
    request = BacktestRequest(tape=walk.path, overrides=dict(QUICK), journal=tmp_path / "session")
    result = run_backtest(request)
    assert result.commands > 50
    replayed = replay(tmp_path / "session")
    assert replayed.divergence is None
    assert replayed.commands == result.commands
    alone = run_backtest(msgspec.structs.replace(request, journal=None))
    assert (alone.commands, alone.pnl, alone.fills) == (result.commands, result.pnl, result.fills)


def test_equal_seeds_give_equal_runs(walk: Tape) -> None:
    """Sampled latencies come from the seed and from nothing else."""
    sampled = Latency(sample_ns=(MS, 5 * MS, 40 * MS), service_ns=100_000)
    runs = []
    for seed in (1, 1, 2):
        runner, sent = made(walk, is_fused=True, entry=sampled, response=sampled, seed=seed)
        runner.run()
        runs.append(sent)
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@pytest.mark.parametrize("is_fused", [True, False])
def test_without_orders_a_tape_replays_to_itself(walk: Tape, is_fused: bool) -> None:
    """At the exchange and in the engine's view the book ends as a plain dict of the rows does."""
    observe: dict[str, object] = {"quoting.enabled": "false"}
    runner, sent = made(walk, is_fused=is_fused, overrides=observe)
    runner.run()
    assert sent == []
    *_, (_, last) = books(all_rows(walk))
    for book in (runner.exchange.book, runner.maker.view.book):
        assert tuple(dict(levels(book, side)) for side in Side) == last
    assert runner.maker.view.messages == sum(walk.header.counts.frames.values())


def test_orders_reach_the_exchange_after_the_entry_delay_and_answers_come_later(
    walk: Tape, tmp_path: Path
) -> None:
    """Sent at t, accepted at t + entry by the exchange's clock, known at t + entry + response."""
    del tmp_path
    runner, sent = made(walk, is_fused=False, entry=constant(7 * MS), response=constant(11 * MS))
    heard: list[tuple[int, int, int]] = []
    apply = runner.engine.apply

    def listen(event: object) -> None:
        if type(event).__name__ == "OrderAccepted":
            heard.append((event.client_order_id, event.ts_event_ns, event.ts_recv_ns))  # type: ignore[attr-defined]
        apply(event)  # type: ignore[arg-type]

    runner.engine.apply = listen  # type: ignore[method-assign]
    runner.run()
    left = {getattr(c, "client_order_id", None): t for t, c in sent}
    told = [h for h in heard if h[0] in left]
    assert len(told) > 10
    for number, at_ns, known_ns in told:
        assert at_ns == left[number] + 7 * MS
        assert known_ns == at_ns + 11 * MS


def test_a_market_that_moved_while_the_order_was_on_its_way_refuses_it(tmp_path: Path) -> None:
    """With a slow line post-only orders are rejected; with none they are not."""
    tape = random_walk(8, 2_500, period_ns=20 * MS).write(tmp_path / "fast.tape.parquet")
    rejected = []
    for delay_ns in (0, 150 * MS):
        runner, _ = made(
            tape,
            is_fused=True,
            overrides={"quoting.fixed_half_spread_bps": "0.5", "quoting.spread_model": "fixed"},
            entry=constant(delay_ns),
        )
        runner.run()
        rejected.append(runner.exchange.rejects)
    assert rejected[0] <= 2
    assert rejected[1] > 5


def test_fees_are_paid_out_of_the_account(walk: Tape) -> None:
    """PnL is edge and inventory less what the tier charges; the identity holds in every run."""
    settings = BacktestSettings(balances={"MMD": Decimal(500), "USDT": Decimal(50_000)})
    result = run_backtest(BacktestRequest(tape=walk.path, settings=settings, overrides=dict(QUICK)))
    assert result.identity_error == 0
    assert result.pnl == result.edge + result.inventory - result.fees


def test_a_run_whose_position_is_not_the_exchanges_fails(walk: Tape) -> None:
    """The check that every result passes through."""
    runner, _ = made(walk, is_fused=True)
    runner.run()
    runner.exchange.account.receive("MMD", 1)
    with pytest.raises(MmdError, match="position: expected the exchange's"):
        backtest_result(runner, wall_s=1.0, cpu_s=1.0, overrides={})


def test_memory_is_what_is_in_flight(tmp_path: Path) -> None:
    """Rows that both sides have seen are let go, however long the tape."""
    tape = random_walk(3, 400).write(tmp_path / "long.tape.parquet")
    runner, _ = made(tape, is_fused=True)
    runner.feed._batches = frames_of(all_rows(tape))
    seen = []
    runner.on_progress = lambda r: seen.append(len(r.feed.rows))
    runner.run()
    assert max(seen) < 200 < tape.header.counts.rows


def test_a_tape_that_ends_inside_a_frame_is_named(tmp_path: Path) -> None:
    """One line: file, row, what was expected."""
    bench = random_walk(3, 30)
    tape = bench.write(tmp_path / "cut.tape.parquet")
    runner, _ = made(tape, is_fused=True)
    rows = all_rows(tape)
    rows["flags"] = 0
    runner.feed._batches = iter([rows])
    with pytest.raises(TapeError, match=r"cut.tape.parquet: row \d+: expected a frame"):
        runner.run()


def test_a_range_without_frames_is_refused(walk: Tape) -> None:
    """There is nothing to play."""
    settings = BacktestSettings(start_ns=START_NS + 10**15)
    with pytest.raises(TapeError, match="expected frames in the range"):
        run_backtest(BacktestRequest(tape=walk.path, settings=settings))


def test_a_fill_needs_no_luck(tmp_path: Path) -> None:
    """One order, alone at its price, and a print at it: filled, and known one response delay later."""
    bench = TapeBench()
    bench.snapshot(0, {9_990: 500}, {10_010: 500})
    for second in range(1, 8):
        bench.book(second * 1_000 * MS, {9_980: 100 + second}, {})
    bench.trade(7_500 * MS, Side.SELL, 9_990, 10)
    bench.book(8_000 * MS, {9_980: 99}, {})
    tape = bench.write(tmp_path / "one.tape.parquet")
    runner, _ = made(
        tape,
        is_fused=True,
        overrides={"quoting.spread_model": "fixed", "quoting.fixed_half_spread_bps": "5"},
    )
    runner.run()
    assert runner.maker.ledger.fill_count == 1
    assert runner.maker.ledger.fills[0].qty_lots == 10
    assert open_tape(tape.path).header.counts.frames["trade"] == 1


def test_the_compiled_loop_leans_on_a_position_from_its_fill_on(tmp_path: Path) -> None:
    """No timer of the engine comes after the one fill, and still quotes lean more the older the position is."""
    bench = TapeBench()
    bench.snapshot(0, {9_990: 500}, {10_010: 500})
    for second in range(1, 120):
        if second == 8:
            bench.trade(7_500 * MS, Side.SELL, 9_990, 10)
        bench.book(second * 1_000 * MS, {9_980: 100 + second % 5}, {})
    tape = bench.write(tmp_path / "one.tape.parquet")
    overrides: dict[str, object] = {
        "quoting.spread_model": "fixed",
        "quoting.fixed_half_spread_bps": "5",
        "construction.age_skew_per_hour": 10.0,
    }
    runners = [made(tape, is_fused=fused, overrides=overrides)[0] for fused in (True, False)]
    for runner in runners:
        runner.run()
    skews = [r.maker.quoter.quote["skew_multiplier"].item() for r in runners]
    assert skews[0] == skews[1] > 1.2
    assert runners[0].idle_timers > 50


@pytest.mark.parametrize("samples_max", [SAMPLES_MAX, 40])
def test_a_watched_run_keeps_what_its_journal_would_tell(
    walk: Tape, tmp_path: Path, samples_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fills, orders, samples and states out of the compiled loop are those of a replay of every decision."""
    monkeypatch.setattr(Recorder.__init__, "__defaults__", (samples_max,))
    monkeypatch.setattr(mids_ahead, "_KEPT_MAX", 64)  # mids are forgotten in the middle of a log
    request = BacktestRequest(tape=walk.path, overrides=dict(QUICK), is_watched=True)
    result, watched = run_watched(request)
    journalled = msgspec.structs.replace(request, journal=tmp_path / "session", is_watched=False)
    assert run_backtest(journalled).quoted_ratio == result.quoted_ratio
    assert watched is not None
    ours, replayed = watched.tracks[0], read_session(tmp_path / "session").tracks[0]
    assert len(replayed.fills) > 10
    assert len(replayed.samples) > (100 if samples_max > 100 else 19)
    for name in ("fills", "orders", "states"):
        assert getattr(ours, name).tobytes() == getattr(replayed, name).tobytes(), name
    assert ours.samples[:-1].tobytes() == replayed.samples[:-1].tobytes()
    assert ours.pnl == replayed.pnl
