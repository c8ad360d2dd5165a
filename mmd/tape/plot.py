"""A tape as charts: touch, mid and trades, spread, depth, in one HTML file without outside parts."""

from pathlib import Path

import numpy as np
import plotly.graph_objects as go  # type: ignore[import-untyped]
from plotly.subplots import make_subplots  # type: ignore[import-untyped]

from mmd.core.market.record import TRADE
from mmd.errors import TapeError
from mmd.tape.book_replay import BookReplay, Sample
from mmd.tape.format import AGGRESSOR_KNOWN, Rows
from mmd.tape.reader import Tape

_SIDES = (("bought", "#2ca02c", "triangle-up"), ("sold", "#d62728", "triangle-down"))
_UNKNOWN = ("traded", "#7f7f7f", "circle")


def write_chart(tape: Tape, out: Path, points: int) -> int:
    """Write the charts of at most so many moments (and trades); returns how many moments they show.

    Raises: TapeError if the tape is damaged or out cannot be written.
    """
    counts = tape.header.counts
    period_ns = max((counts.last_ns - counts.first_ns) // points, 1)
    samples = [s for s in BookReplay().samples(tape, period_ns) if s.bid > 0 and s.ask > 0]
    figure = _figure(samples, _trades(tape, points), tape)
    try:
        figure.write_html(out, include_plotlyjs=True, full_html=True)
    except OSError as error:
        raise TapeError(
            f"{out}: cannot be written ({error.strerror}); name another file"
        ) from error
    return len(samples)


def _trades(tape: Tape, points: int) -> Rows:
    """Trades, every n-th where there are more than asked for."""
    stride = tape.header.counts.frames.get("trade", 0) // points + 1
    kept, before = [], 0
    for rows in tape.batches():
        trades = rows[rows["kind"] == TRADE]
        kept.append(trades[-before % stride :: stride])
        before += len(trades)
    return np.concatenate(kept)


def _figure(samples: list[Sample], trades: Rows, tape: Tape) -> go.Figure:
    at = tape.header.instrument
    tick, lot = float(at.tick_size), float(at.lot_size)
    table = np.array(samples, np.int64).reshape(-1, len(Sample._fields))
    moments = table[:, 0].astype("datetime64[ns]")
    bid, ask = table[:, 1] * tick, table[:, 2] * tick
    depth_title = f"depth, best 20 levels ({at.base}), asks below 0"
    figure = make_subplots(
        rows=3,
        shared_xaxes=True,
        row_heights=[0.6, 0.2, 0.2],
        vertical_spacing=0.08,
        subplot_titles=(f"price ({at.quote})", "spread (bps of mid)", depth_title),
    )
    step = {"shape": "hv", "width": 1}
    for name, values in (("bid", bid), ("ask", ask), ("mid", (bid + ask) / 2)):
        figure.add_trace(go.Scattergl(x=moments, y=values, name=name, line=step), row=1, col=1)
    for trace in _trade_traces(trades, tick, lot):
        figure.add_trace(trace, row=1, col=1)
    spread_bps = 2e4 * (ask - bid) / (ask + bid)
    figure.add_trace(go.Scattergl(x=moments, y=spread_bps, name="spread", line=step), row=2, col=1)
    for name, column, sign in (("bids", 5, 1), ("asks", 6, -1)):
        depth = sign * table[:, column] * lot
        figure.add_trace(go.Scattergl(x=moments, y=depth, name=name, line=step), row=3, col=1)
    what = f"{at.venue} {at.symbol}: {tape.header.counts.rows:,} rows, {tape.path.name}"
    figure.update_layout(title=what, template="plotly_white", height=900, hovermode="x unified")
    return figure


def _trade_traces(trades: Rows, tick: float, lot: float) -> list[go.Scattergl]:
    """One trace for each aggressor, and one for those that are not known."""
    known = (trades["flags"] & AGGRESSOR_KNOWN) != 0
    groups = [(known & (trades["side"] == n), look) for n, look in enumerate(_SIDES)]
    traces = []
    for mask, (name, colour, symbol) in [*groups, (~known, _UNKNOWN)]:
        mine = trades[mask]
        if len(mine):
            traces.append(
                go.Scattergl(
                    x=mine["ts_recv_ns"].astype("datetime64[ns]"),
                    y=mine["price_ticks"] * tick,
                    text=[f"{q * lot:g}" for q in mine["qty_lots"].tolist()],
                    mode="markers",
                    name=name,
                    marker={"color": colour, "symbol": symbol, "size": 5, "opacity": 0.6},
                )
            )
    return traces
