"""What a backtest came to: counts, money by causes, and the checks without which none of it counts."""

from decimal import Decimal

import msgspec

from mmd.backtest.runner import BacktestRunner
from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.inventory.pnl import Pnl
from mmd.core.units import ATOMS_PER_UNIT, NANOS_PER_SECOND, Side
from mmd.errors import MmdError


class BacktestResult(msgspec.Struct, frozen=True, kw_only=True):
    """One run; money in quote currency, quantities in base."""

    tape: str
    instrument: str
    strategy: str
    queue: str
    seed: int
    seconds: float
    """Of the tape's time."""
    wall_s: float
    cpu_s: float
    book_frames: int
    frames: int
    frames_per_s: float
    """Book frames by wall time."""
    decisions: int
    commands: int
    orders: int
    rejected: int
    fills: int
    maker_fills: int
    turnover: Decimal
    position: Decimal
    position_lots_max: int
    pnl: Decimal
    edge: Decimal
    inventory: Decimal
    fees: Decimal
    quoted_ratio: float
    """Share of the time with orders on both sides."""
    markout_ticks: dict[str, float | None]
    """Mean markout per lot by horizon, in ticks, before fees."""
    feed_gaps: int
    state: str
    level: str
    identity_error: int
    overrides: dict[str, str] = {}
    """What a sweep changed."""


def backtest_result(
    runner: BacktestRunner, *, wall_s: float, cpu_s: float, overrides: dict[str, str]
) -> BacktestResult:
    """Describe a finished run.

    Raises:
        MmdError: The PnL identity does not hold, or engine and exchange disagree about the position.
    """
    maker, engine = runner.maker, runner.engine
    pnl, instrument = maker.ledger.pnl, maker.instrument
    if pnl is None:
        raise MmdError("backtest ended before the account was known; the tape holds no frame")
    _check(runner, pnl)
    money, causes = pnl.position.money, pnl.attribution
    book_frames = int(runner.feed.exch["book_frames"][0])
    return BacktestResult(
        tape=str(runner.tape_path),
        instrument=f"{instrument.venue} {instrument.symbol}",
        strategy=engine.spec.quoting.spread_model,
        queue=runner.settings.queue,
        seed=runner.settings.seed,
        seconds=(runner.now_ns - engine.spec.started_monotonic_ns) / NANOS_PER_SECOND,
        wall_s=wall_s,
        cpu_s=cpu_s,
        book_frames=book_frames,
        frames=int(runner.feed.exch["frames"][0]),
        frames_per_s=book_frames / wall_s if wall_s > 0.0 else 0.0,
        decisions=runner.decisions + runner.quiet_decisions,
        commands=runner.commands,
        orders=maker.counts.sent,
        rejected=maker.counts.rejected,
        fills=maker.ledger.fill_count,
        maker_fills=maker.ledger.maker_count,
        turnover=runner.turnover,
        position=Decimal(pnl.position.atoms) / ATOMS_PER_UNIT,
        position_lots_max=runner.position_lots_max,
        pnl=money.decimal(pnl.total_units),
        edge=money.decimal(causes.edge_units),
        inventory=money.decimal(causes.inventory_units),
        fees=money.decimal(causes.fee_units),
        quoted_ratio=runner.quoted_ratio,
        markout_ticks=_markouts(runner),
        feed_gaps=int(runner.exchange.fills["gaps"][0]),
        state=maker.state.name.lower(),
        level=engine.levels.level.name.lower(),
        identity_error=pnl.identity_error,
        overrides=overrides,
    )


def _check(runner: BacktestRunner, pnl: Pnl) -> None:
    if pnl.identity_error != 0:
        raise MmdError(
            f"PnL identity: expected balances and causes to agree, found a difference of {pnl.identity_error} money "
            "units; the run does not count, report it with its tape and settings"
        )
    base = runner.exchange.instrument.base
    moved = runner.exchange.account.total(base) - runner.opening_base_atoms
    if moved != pnl.position.atoms:
        raise MmdError(
            f"position: expected the exchange's {moved} {base} atoms, found {pnl.position.atoms} in the engine; the "
            "run does not count, report it with its tape and settings"
        )


def _markouts(runner: BacktestRunner) -> dict[str, float | None]:
    """Edge plus what the mid did afterwards, weighted by lots over both sides."""
    record = runner.maker.ledger.markouts.record[0]
    lots = int(record["edge_lots"].sum())
    edge = int(record["edge"].sum()) / lots / 2 if lots > 0 else 0.0
    found: dict[str, float | None] = {}
    for at, horizon_ns in enumerate(HORIZONS_NS):
        weight = sum(int(record["weight"][side, at]) for side in Side)
        moved = sum(int(record["moved"][side, at]) for side in Side)
        found[f"{horizon_ns / NANOS_PER_SECOND:g}s"] = (
            edge + moved / weight / 2 if weight > 0 else None
        )
    return found
