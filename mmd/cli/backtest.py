"""`mmd backtest`: the daemon's own engine on a tape, with simulated fills."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mmd.cli.options import AsJson, ConfigFile, Overrides, parse_overrides
from mmd.errors import ConfigError

if TYPE_CHECKING:
    from mmd.backtest.parallel import Runs
    from mmd.backtest.result import BacktestResult
    from mmd.backtest.run import BacktestRequest
    from mmd.backtest.settings import BacktestSettings
    from mmd.exchange.fills.fee_tiers import FeeTier

EXAMPLES = """
Examples:

  mmd backtest --tape nexo.tape.parquet --fees binance_spot/vip0

  mmd backtest --tape btc.tape.parquet --strategy fixed --queue power --latency-us 250 --summary run.json

  mmd backtest --tape btc.tape.parquet --set quoting.levels=1 --sweep quoting.requote_tolerance_bps=0.5,1,2

  mmd backtest --tape btc.tape.parquet --journal var/bt1 --report bt1.html && mmd journal replay var/bt1
"""


_Tape = Annotated[Path, typer.Option(help="a tape, or the folder that mmd record wrote")]
_Strategy = Annotated[
    str | None,
    typer.Option(help="spread model: glft, avellaneda_stoikov, ho_stoll, dynamic or fixed"),
]
_Queue = Annotated[
    str,
    typer.Option(
        help="risk_averse, power, power2, power3, log, log2, front, or fifo for order-by-order tapes"
    ),
]
_QueueExponent = Annotated[float, typer.Option(help="n of the power models", min=0.01)]
_LatencyUs = Annotated[float, typer.Option(help="to the exchange, and again back from it", min=0)]
_FeedLatencyUs = Annotated[float, typer.Option(help="of market data", min=0)]
_LatencyFile = Annotated[
    Path | None,
    typer.Option(
        help="measured latencies to draw from instead: a number of us a line", metavar="FILE"
    ),
]
_ServiceUs = Annotated[
    float, typer.Option(help="what each order message occupies the line for", min=0)
]
_DecisionUs = Annotated[float, typer.Option(help="how long a decision takes", min=0)]
_EventClock = Annotated[
    bool,
    typer.Option("--event-clock", help="the exchange runs on the venue's event times of the tape"),
]
_Fees = Annotated[
    str | None,
    typer.Option(
        help="venue/tier (rates of 2025), e.g. binance_spot/vip0, or MAKER,TAKER in bps; default: the tape's"
    ),
]
_Balance = Annotated[
    list[str] | None,
    typer.Option(help="starting balance; repeatable", metavar="ASSET=QTY"),
]
_Seed = Annotated[int, typer.Option(help="of everything random", min=0)]
_Bracket = Annotated[
    bool,
    typer.Option("--bracket/--no-bracket", help="run the other queue models as well, in parallel"),
]
_Sweep = Annotated[
    list[str] | None,
    typer.Option(help="run every combination; repeatable", metavar="KEY=A,B,C"),
]
_Journal = Annotated[
    Path | None, typer.Option(help="keep the session's journal here", metavar="FOLDER")
]
_Summary = Annotated[Path | None, typer.Option(help="write the results as JSON", metavar="FILE")]
_Report = Annotated[
    Path | None, typer.Option(help="write an HTML report of the run", metavar="FILE.html")
]


def backtest(
    tape: _Tape,
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    strategy: _Strategy = None,
    queue: _Queue = "risk_averse",
    queue_exponent: _QueueExponent = 3.0,
    latency_us: _LatencyUs = 1000.0,
    feed_latency_us: _FeedLatencyUs = 0.0,
    latency_file: _LatencyFile = None,
    service_us: _ServiceUs = 0.0,
    decision_us: _DecisionUs = 0.0,
    event_clock: _EventClock = False,
    fees: _Fees = None,
    balance: _Balance = None,
    seed: _Seed = 7,
    bracket: _Bracket = True,
    sweep: _Sweep = None,
    journal: _Journal = None,
    summary: _Summary = None,
    report: _Report = None,
    as_json: AsJson = False,
) -> None:
    """Run the live engine over a tape on a virtual clock, its orders filled by a queue model."""
    from mmd.backtest.run import BacktestRequest, load_settings  # noqa: PLC0415 - loads the compiler
    from mmd.exchange.fills.record import queue_model  # noqa: PLC0415

    queue_model(queue)
    _check_folders({"--summary": summary, "--report": report})
    if sweep and (journal or report):
        raise ConfigError(
            "--sweep: expected no --journal or --report beside it; run one combination"
        )
    settings = _settings(
        queue=queue,
        queue_exponent=queue_exponent,
        channels=_channels(latency_us, latency_file, service_us),
        feed_latency_us=feed_latency_us,
        decision_us=decision_us,
        by_event=event_clock,
        fees=_fees(fees),
        balances=_balances(balance or []),
        seed=seed,
    )
    wanted = parse_overrides(overrides)
    if strategy is not None:
        wanted["quoting.spread_model"] = strategy
    request = BacktestRequest(
        tape=tape, settings=settings, config=config_file, overrides=wanted, journal=journal
    )
    load_settings(request)
    results = _swept(request, sweep) if sweep else _bracketed(request, report, bracket=bracket)
    _tell(results, summary, as_json=as_json)


def _check_folders(files: "dict[str, Path | None]") -> None:
    """Refuse now what could not be written at the end. Raises: ConfigError."""
    for option, path in files.items():
        if path is not None and not path.absolute().parent.is_dir():
            raise ConfigError(f"{option} {path}: its folder does not exist; create it first")


def _swept(request: "BacktestRequest", sweep: list[str]) -> "list[BacktestResult]":
    """Every combination of the settings that are swept."""
    from mmd.backtest.parallel import Runs, swept  # noqa: PLC0415

    with Runs(swept(request, sweep)) as runs:
        return _together(runs)


def _bracketed(
    request: "BacktestRequest", report: Path | None, *, bracket: bool
) -> "list[BacktestResult]":
    """The chosen run first, then those by the other queue models where they are wanted."""
    from mmd.backtest.parallel import BRACKET, Runs, bracketed  # noqa: PLC0415

    others = [m for m in BRACKET if m != request.settings.queue] if bracket else []
    with Runs(bracketed(request, others)) as runs:
        return [_one(request, report, runs), *_together(runs)]


def _one(request: "BacktestRequest", report: Path | None, others: "Runs") -> "BacktestResult":
    """The chosen run, in this process, with its progress on the terminal; others begin once all is compiled."""
    from mmd.backtest.run import run_watched  # noqa: PLC0415
    from mmd.shell.warmup import compile_progress  # noqa: PLC0415

    watched = msgspec.structs.replace(request, is_watched=report is not None)
    with compile_progress(), _progress(request) as tell:

        def on_progress(runner: Any) -> None:
            others.start()
            tell(runner)

        result, session = run_watched(watched, on_progress)
    if report is not None and session is not None:
        from mmd.analytics.report import report_of, save_html  # noqa: PLC0415

        save_html(report_of(session), report)
        typer.echo(f"{report}: report written", err=True)
    return result


def _together(runs: "Runs") -> "list[BacktestResult]":
    """What several runs came to; says which are done."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.completed} of {task.total} runs"),
        BarColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task("runs", total=len(runs.requests))
        return runs.results(lambda done: bar.update(task, completed=done))


@contextmanager
def _progress(request: "BacktestRequest") -> Iterator[Any]:
    """A bar by rows of the tape, with rows per second."""
    from mmd.tape.reader import open_tape  # noqa: PLC0415

    total = open_tape(request.tape).header.counts.rows
    console = Console(stderr=True)
    columns = (
        TextColumn("backtest"),
        BarColumn(),
        TextColumn("{task.fields[rate]:,.0f} events/s"),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task("backtest", total=total, rate=0.0)
        began_s = time.perf_counter()

        def on_progress(runner: Any) -> None:
            done = runner.rows_done
            rate = done / max(time.perf_counter() - began_s, 1e-9)
            bar.update(task, completed=done, rate=rate)

        yield on_progress


def _settings(**fields: Any) -> "BacktestSettings":
    """Assumptions from options."""
    from mmd.backtest.settings import BacktestSettings  # noqa: PLC0415
    from mmd.exchange.fills.latency import constant  # noqa: PLC0415

    channel = fields.pop("channels")
    return BacktestSettings(
        feed=constant(_ns(fields.pop("feed_latency_us"))),
        entry=channel,
        response=channel,
        decision_cost_ns=_ns(fields.pop("decision_us")),
        **fields,
    )


def _channels(latency_us: float, file: Path | None, service_us: float) -> Any:
    """One way of order entry: constant, or drawn from what was measured."""
    from mmd.exchange.fills.latency import Latency  # noqa: PLC0415

    samples: tuple[int, ...] = (_ns(latency_us),)
    if file is not None:
        try:
            samples = tuple(_ns(float(line)) for line in file.read_text().split())
        except OSError as error:
            raise ConfigError(
                f"--latency-file {file}: cannot be read ({error.strerror}); check the path"
            ) from error
        except (ValueError, OverflowError) as error:
            raise ConfigError(
                f"--latency-file {file}: expected a number of microseconds a line, found {error}"
            ) from error
    return Latency(sample_ns=samples, service_ns=_ns(service_us))


def _fees(text: str | None) -> "FeeTier | None":
    from mmd.exchange.fills.fee_tiers import FeeTier, fee_tier  # noqa: PLC0415

    if text is None:
        return None
    maker, comma, taker = text.partition(",")
    if not comma:
        return fee_tier(text)
    try:
        return FeeTier(float(maker), float(taker))
    except ValueError:
        raise ConfigError(
            f"--fees: expected venue/tier or MAKER,TAKER in bps, found {text!r}"
        ) from None


def _balances(pairs: list[str]) -> dict[str, Decimal]:
    found = {}
    for pair in pairs:
        asset, _, qty = pair.partition("=")
        try:
            found[asset] = Decimal(qty)
        except InvalidOperation:
            raise ConfigError(f"--balance: expected ASSET=QTY, found {pair!r}") from None
        if not asset or not found[asset].is_finite() or found[asset] < 0:
            raise ConfigError(f"--balance: expected ASSET=QTY of 0 or more, found {pair!r}")
    return found


def _ns(us: float) -> int:
    return round(us * 1_000)


def _tell(results: "list[BacktestResult]", summary: Path | None, *, as_json: bool) -> None:
    """Print the results and write them down; the first is the run that was asked for."""
    from mmd.cli.backtest_table import result_tables  # noqa: PLC0415

    rows = [msgspec.to_builtins(result) for result in results]
    if summary is not None:
        summary.write_bytes(msgspec.json.format(msgspec.json.encode({"runs": rows})))
    if as_json:
        typer.echo(msgspec.json.encode({"runs": rows}).decode())
        return
    for table in result_tables(results):
        Console().print(table)
    first = results[0]
    typer.echo(
        f"{first.instrument}: {first.book_frames:,} book frames of {first.seconds:,.0f} s in {first.wall_s:.2f} s "
        f"({first.frames_per_s:,.0f}/s), {first.decisions:,} decisions, {first.commands:,} commands"
    )
