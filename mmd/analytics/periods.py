"""Daily, weekly and monthly sums over sessions; days, weeks (Monday first) and months are UTC."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec
import numpy as np

from mmd.analytics.attribution import NOTHING, PnlAttribution, attribution
from mmd.analytics.columns import Floats, Ints
from mmd.analytics.metrics import SEED
from mmd.analytics.performance import Ratio, max_drawdown, pnl_bars, sharpe
from mmd.analytics.session import Track
from mmd.core.units import NANOS_PER_SECOND


class Period(StrEnum):
    """How long a row of the table is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class PeriodRow(msgspec.Struct, frozen=True):
    """One instrument over one period, all sessions together; money in its quote currency.

    Attributes:
        period: 2026-11-22, 2026-W47 or 2026-11.
        hours: time covered by sessions.
        sharpe: of 60 s bars of PnL, those of all sessions in a row.
        drawdown: largest fall of PnL from its peak, sessions one after the other.
        turnover_per_day: traded notional over capital, per 24 hours covered.
    """

    period: str
    venue: str
    symbol: str
    currency: str
    sessions: int
    hours: float
    pnl: float
    attribution: PnlAttribution
    sharpe: Ratio
    drawdown: float
    drawdown_of_capital: float
    fills: int
    notional: float
    turnover_per_day: float | None
    profit_per_share_bps: float | None


def by_period(tracks: Iterable[tuple[Track, float]], period: Period) -> list[PeriodRow]:
    """Rows in order of time, venue and symbol.

    Args:
        tracks: whole sessions' tracks, oldest first, each with the capital allocated to it.
        period: length of a row.
    """
    parts: dict[tuple[str, str, str], list[tuple[Track, float]]] = {}
    for track, capital in tracks:
        for label, part in cut(track, period):
            key = (label, track.instrument.venue, track.instrument.symbol)
            parts.setdefault(key, []).append((part, capital))
    return [_row(key[0], parts[key]) for key in sorted(parts)]


def cut(track: Track, period: Period) -> Iterator[tuple[str, Track]]:
    """The parts of a track by period, each with its label; their PnL add up to the track's."""
    start_ns = track.start_ns
    while True:
        began = _floor(_utc(start_ns), period)
        end_ns = int(_next(began, period).timestamp()) * NANOS_PER_SECOND
        yield _label(began, period), track.between(start_ns, end_ns)
        if end_ns >= track.end_ns:
            return
        start_ns = end_ns


def chained(tracks: Iterable[Track]) -> tuple[Ints, Floats]:
    """Sample times and PnL of tracks that follow each other, each going on where the last one ended."""
    times, curves, reached = [np.zeros(0, np.int64)], [np.zeros(0)], 0.0
    for track in tracks:
        equity = track.samples["equity"]
        if len(equity) > 0:
            times.append(track.samples["ts_ns"])
            curves.append(equity - equity[0] + reached)
            reached += track.pnl
    return np.concatenate(times), np.concatenate(curves)


def _row(label: str, parts: list[tuple[Track, float]]) -> PeriodRow:
    tracks = [track for track, _ in parts]
    instrument = tracks[0].instrument
    capital = sum(capital for _, capital in parts) / len(parts)
    days = sum(track.days for track in tracks)
    pnl = sum(track.pnl for track in tracks)
    notional = sum(float(track.notional.sum()) for track in tracks)
    bars = [pnl_bars(track.samples["ts_ns"], track.samples["equity"]) for track in tracks]
    fallen = max_drawdown(*chained(tracks))
    drawdown = 0.0 if fallen is None else fallen.amount
    return PeriodRow(
        period=label,
        venue=instrument.venue,
        symbol=instrument.symbol,
        currency=instrument.quote,
        sessions=len(tracks),
        hours=24.0 * days,
        pnl=pnl,
        attribution=sum((attribution(track) for track in tracks), NOTHING),
        sharpe=sharpe(np.concatenate(bars), np.random.default_rng(SEED)),
        drawdown=drawdown,
        drawdown_of_capital=drawdown / capital,
        fills=sum(len(track.fills) for track in tracks),
        notional=notional,
        turnover_per_day=notional / capital / days if days > 0.0 else None,
        profit_per_share_bps=1e4 * pnl / notional if notional > 0.0 else None,
    )


def _utc(ts_ns: int) -> datetime:
    return datetime.fromtimestamp(ts_ns // NANOS_PER_SECOND, UTC)


def _floor(at: datetime, period: Period) -> datetime:
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case Period.DAY:
            return day
        case Period.WEEK:
            return day - timedelta(days=day.weekday())
        case Period.MONTH:
            return day.replace(day=1)


def _next(began: datetime, period: Period) -> datetime:
    match period:
        case Period.DAY:
            return began + timedelta(days=1)
        case Period.WEEK:
            return began + timedelta(days=7)
        case Period.MONTH:
            return (began + timedelta(days=31)).replace(day=1)


def _label(began: datetime, period: Period) -> str:
    match period:
        case Period.DAY:
            return f"{began:%Y-%m-%d}"
        case Period.WEEK:
            return f"{began:%G-W%V}"
        case Period.MONTH:
            return f"{began:%Y-%m}"
