"""Figures show the numbers that they are made of."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from mmd.analytics import figures
from mmd.analytics.columns import DISTANCES_TICKS
from mmd.analytics.durations import EDGES_NS, of_array
from mmd.analytics.figure_layout import Figure
from mmd.analytics.fill_quality import FillRate
from mmd.analytics.metrics import measure
from mmd.analytics.session import Track, read_session
from mmd.core.quoting.quote_state import QuoteReason, QuoteState
from tests.unit.mmd.analytics.tracks import LOT_ATOMS, RecordedSession, S, fill, sample, track


def named(figure: Figure) -> dict[str, Figure]:
    return {trace["name"]: trace for trace in figure["data"] if trace.get("showlegend", True)}


def small() -> Track:
    """Two samples, one sale, one change of state."""
    return track(
        [fill(1.5, -1, 10_002, 7, level=1)],
        [
            sample(1, 0.5, 100, our_bid_ticks=9_998, limit_atoms=500 * LOT_ATOMS),
            sample(2, 0.75, -50, our_bid_ticks=0, limit_atoms=500 * LOT_ATOMS),
        ],
        states=[
            {"ts_ns": S, "state": int(QuoteState.ACTIVE), "reason": int(QuoteReason.NONE)},
            {"ts_ns": 3 * S, "state": int(QuoteState.WITHDRAWN), "reason": int(QuoteReason.RISK)},
        ],
        end_s=4.0,
    )


def test_equity_starts_at_zero() -> None:
    """In milliseconds and quote currency, with its causes."""
    curves = named(figures.equity_figure(small()))
    assert curves["PnL"]["x"] == [1000.0, 2000.0]
    assert curves["PnL"]["y"] == [0.0, 0.25]
    assert set(curves) == {"PnL", "spread", "inventory", "fees and rebates"}


def test_inventory_between_its_limits() -> None:
    """In base."""
    curves = named(figures.inventory_figure(small()))
    assert curves["inventory"]["y"] == pytest.approx([0.1, -0.05])
    assert curves["limit"]["y"] == pytest.approx([0.5, 0.5])


def test_quotes_have_gaps_and_fills_their_place() -> None:
    """Prices in quote currency; where we have no quote there is no line."""
    curves = named(figures.quotes_figure(small()))
    assert curves["our bid"]["y"][0] == pytest.approx(99.98)
    assert np.isnan(curves["our bid"]["y"][1])
    assert curves["sold"]["x"] == [1500.0]
    assert curves["sold"]["y"] == pytest.approx([100.02])
    assert curves["sold"]["text"] == ["0.007 MMD, level 1"]
    assert curves["bought"]["x"] == []


def test_states_last_until_the_next() -> None:
    """Bars with a start and a length."""
    bars = named(figures.states_figure(small()))
    assert (bars["active"]["base"], bars["active"]["x"]) == ([1000.0], [2000.0])
    assert (bars["withdrawn"]["base"], bars["withdrawn"]["x"]) == ([3000.0], [1000.0])
    assert bars["withdrawn"]["text"] == ["risk"]


def test_of_very_many_states_the_longest_are_shown() -> None:
    """At most STRETCHES_MAX of them."""
    rows = [{"ts_ns": i * S, "state": i % 2} for i in range(3 * figures.STRETCHES_MAX)]
    rows.append({"ts_ns": len(rows) * S, "state": int(QuoteState.WITHDRAWN)})
    bars = named(figures.states_figure(track(states=rows, end_s=1e6)))
    assert sum(len(b["x"]) for b in bars.values()) == figures.STRETCHES_MAX
    assert max(bars["withdrawn"]["x"]) > 1e6


def test_bars_of_the_measured(recorded: RecordedSession, session_folder: Path) -> None:
    """Attribution with its sum, markouts inside their bands, adverse rates beside the baseline."""
    found = measure(read_session(session_folder).tracks[0], 1000.0)
    bars = figures.attribution_figure(found)["data"][0]
    assert dict(zip(bars["x"], bars["y"], strict=True))["PnL"] == pytest.approx(found.pnl)
    assert {"spread", "rebates", "fees", "inventory", "hedging", "arbitrage"} < set(bars["x"])
    markouts = figures.markout_figure(found)["data"]
    band, line = markouts[0], markouts[1]
    n = len(line["x"])
    assert line["y"] == [p.markout_bps.estimate for p in found.markouts][:n]
    assert all(
        low <= y <= high
        for low, y, high in zip(band["y"][: n - 1 : -1], line["y"], band["y"][:n], strict=True)
    )
    assert {t["name"] for t in markouts if "name" in t} >= {"all fills", "level 0"}
    rates = named(figures.adverse_figure(found))
    assert rates["our fills"]["y"][0] == found.adverse[0].rate
    known = [r.rate_per_s for r in figures.distinct(found.fills.rates) if r.rate_per_s is not None]
    assert figures.fill_rate_figure(found)["data"][0]["y"] == known


def test_the_largest_distance_has_a_name(session_folder: Path) -> None:
    """It is no number of ticks that a person can read."""
    found = measure(read_session(session_folder).tracks[0], 1000.0)
    rates = [FillRate(10, 1, 1.0, 1.0), FillRate(DISTANCES_TICKS[-1], 3, 2.0, 1.5)]
    fills = msgspec.structs.replace(found.fills, rates=rates)
    bars = figures.fill_rate_figure(msgspec.structs.replace(found, fills=fills))["data"][0]
    assert bars["x"] == ["≤ 10", "any distance"]


def test_latencies_in_microseconds() -> None:
    """From the first bin that holds something to the last."""
    counts = of_array(np.array([10_000, 10_000, 1_000_000])).counts
    bars = figures.latency_figure("a", EDGES_NS, counts)["data"][0]
    assert (bars["x"][0], bars["x"][-1]) == (10.0, 1000.0)
    assert (bars["y"][0], bars["y"][-1], sum(bars["y"])) == (2, 1, 3)
    assert figures.latency_figure("b", EDGES_NS, 0 * counts)["data"][0]["x"] == []


def test_durations_that_are_all_alike_have_an_axis_with_marks() -> None:
    """A decade around them: within less of one there may be neither 1, 2 nor 5."""
    alike = of_array(np.full(9, 2_000_000)).counts
    axis = figures.latency_figure("a", EDGES_NS, alike)["layout"]["xaxis"]
    low, high = axis["range"]
    assert high - low == pytest.approx(1.0)
    assert 10**low < 2_000 < 10**high


def test_where_nothing_happened_the_plot_says_so() -> None:
    """No axis from -1 to 6; where something did, nothing of the kind."""
    nothing = figures.fill_rate_figure(measure(track(end_s=1.0), 1.0))["layout"]
    assert nothing["annotations"][0]["text"] == "nothing to show"
    assert (nothing["xaxis"]["visible"], nothing["yaxis"]["visible"]) == (False, False)
    assert "annotations" not in figures.equity_figure(small())["layout"]


def test_every_figure_is_plain_data_even_of_nothing() -> None:
    """JSON without numpy."""
    made = track(end_s=1.0)
    measured = measure(made, 1.0)
    for figure in (
        figures.equity_figure(made),
        figures.drawdown_figure(made),
        figures.inventory_figure(made),
        figures.quotes_figure(made),
        figures.states_figure(made),
        figures.attribution_figure(measured),
        figures.markout_figure(measured),
        figures.adverse_figure(measured),
        figures.fill_rate_figure(measured),
    ):
        assert msgspec.json.decode(msgspec.json.encode(figure))["layout"]["title"]["text"]
