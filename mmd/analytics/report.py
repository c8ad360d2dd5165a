"""A report over journals: the latest session in full, all sessions by day, week or month."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from mmd.analytics import figures, page, tables
from mmd.analytics.durations import EDGES_NS, Durations, of_array
from mmd.analytics.figure_layout import Figure
from mmd.analytics.metrics import Metrics, allocated_capital, measure
from mmd.analytics.periods import Period, PeriodRow, by_period
from mmd.analytics.session import Session, Track, read_session
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import JournalError
from mmd.journal.reader import is_session, sessions_in


class Report(msgspec.Struct, frozen=True):
    """What was read and what it came to.

    Attributes:
        session: the latest one that could be read.
        metrics: its instruments, in the order of its spec.
        periods: all sessions.
        skipped: sessions that could not be read, each with the reason.
    """

    session: Session
    metrics: list[Metrics]
    periods: list[PeriodRow]
    skipped: list[str]


def make_report(journal_folder: Path, period: Period = Period.DAY) -> Report:
    """Read a session's folder, or every session below a journal folder, and measure.

    Raises:
        JournalError: None of them can be read.
    """
    folders = [journal_folder] if is_session(journal_folder) else sessions_in(journal_folder)
    latest: Session | None = None
    tracks: list[tuple[Track, float]] = []
    skipped: list[str] = []
    for folder in folders:
        try:
            latest = read_session(folder)
        except JournalError as error:
            skipped.append(str(error))
            continue
        capital = allocated_capital(latest.spec)
        tracks += [(track, capital) for track in latest.tracks]
    if latest is None:
        missing = f"{journal_folder} holds no session; run `mmd run` first or name another folder"
        raise JournalError(skipped[-1] if skipped else missing)
    return _measured(latest, tracks, period, skipped)


def report_of(session: Session, period: Period = Period.DAY) -> Report:
    """Measure one session that was watched or read."""
    capital = allocated_capital(session.spec)
    return _measured(session, [(track, capital) for track in session.tracks], period, [])


def _measured(
    latest: Session, tracks: list[tuple[Track, float]], period: Period, skipped: list[str]
) -> Report:
    capital = allocated_capital(latest.spec)
    metrics = [measure(track, capital) for track in latest.tracks]
    return Report(latest, metrics, by_period(tracks, period), skipped)


def write_report(journal_folder: Path, out: Path, period: Period = Period.DAY) -> None:
    """Write a journal's report as one HTML file that loads nothing.

    Args:
        journal_folder: of a session, or of sessions: then the latest in full and all by period.
        out: replaced if it is there.
        period: length of a row where there are several sessions.

    Raises:
        JournalError: No session can be read.
    """
    save_html(make_report(journal_folder, period), out)


def save_html(report: Report, out: Path) -> None:
    """Write a report that was made; its folder is made if needed."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(html(report), encoding="utf-8")


def html(report: Report) -> str:
    """The page's text."""
    session = report.session
    name = ", ".join(f"{m.venue}:{m.symbol}" for m in report.metrics)
    parts = [page.heading(f"mmd report: {name}", facts(session), warnings(report))]
    drawn: list[Figure] = []
    for track, measured in zip(session.tracks, report.metrics, strict=True):
        if len(session.tracks) > 1:
            parts.append(page.chapter(f"{measured.venue}:{measured.symbol}"))
        made = _figures(session, track, measured)
        drawn += [figure for figure, _ in made]
        parts += [page.metric_tables(tables.sections(measured)), page.plots([w for _, w in made])]
    rows = map(tables.period_cells, report.periods)
    parts += [page.chapter("By period (UTC)"), page.plain_table(tables.PERIOD_HEADER, rows)]
    spec = msgspec.json.format(msgspec.json.encode(session.spec)).decode()
    parts += [page.chapter("Configuration"), page.folded("the session's specification", spec)]
    return page.page(f"mmd report: {name} {session.folder.name}", parts, drawn)


def facts(session: Session) -> list[str]:
    """A session in a few lines: when, where, with what model and limits."""
    spec = session.spec
    began = datetime.fromtimestamp(spec.started_unix_ns // NANOS_PER_SECOND, UTC)
    quoting, risk = spec.quoting, spec.risk
    stated = "risk.capital_base" if risk.capital_base > 0 else "risk.position_notional_max"
    return [
        (
            f"Session {session.folder.name}, {spec.environment}, mmd {spec.version}, seed {spec.seed}; "
            f"{began:%Y-%m-%d %H:%M:%S} UTC for {session.duration_s:,.1f} s"
        ),
        (
            f"Quoting {quoting.spread_model}, {quoting.levels} levels, orders of {quoting.order_notional}; position "
            f"limit {risk.position_notional_max}, loss limit {risk.loss_max}, drawdown limit {risk.drawdown_max}"
        ),
        (
            f"Capital per instrument {allocated_capital(spec):,.0f} (from {stated}); intervals are 95 %, "
            "by stationary bootstrap; times are UTC"
        ),
    ]


def warnings(report: Report) -> list[str]:
    """What a reader must know before believing the numbers."""
    found = [f"not in this report: {reason}" for reason in report.skipped]
    found += [
        f"{m.symbol}: commissions of {amount:,.8f} {asset} are in no PnL, their rate is unknown"
        for m in report.metrics
        for asset, amount in m.unpriced_fees.items()
    ]
    return found


def order_round_trip(track: Track) -> Durations:
    """From sending an order to the venue's acknowledgement."""
    accepted = track.orders[track.orders["accepted_ns"] > 0]
    return of_array(accepted["accepted_ns"] - accepted["ts_ns"])


def _figures(session: Session, track: Track, measured: Metrics) -> list[tuple[Figure, bool]]:
    """Each figure, and whether it takes the whole width."""
    made = [
        (figures.equity_figure(track), True),
        (figures.quotes_figure(track), True),
        (figures.states_figure(track), True),
        (figures.inventory_figure(track), False),
        (figures.drawdown_figure(track), False),
        (figures.attribution_figure(measured), False),
        (figures.markout_figure(measured), False),
        (figures.adverse_figure(measured), False),
        (figures.fill_rate_figure(measured), False),
    ]
    for name, durations in (
        ("Receipt of market data to decision", session.tick_to_decision),
        ("Order sent to acknowledged", order_round_trip(track)),
    ):
        if durations.count > 0:
            title = f"{name}: p50 {_us(durations, 0.5)}, p99 {_us(durations, 0.99)}"
            made.append((figures.latency_figure(title, EDGES_NS, durations.counts), False))
    return made


def _us(durations: Durations, q: float) -> str:
    found = durations.quantile_ns(q)
    return tables.NOTHING if found is None else f"≤ {found / 1e3:,.0f} µs"
