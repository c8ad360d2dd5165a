"""Metrics as rows of text, the same for the terminal and for the HTML report."""

from typing import Final, NamedTuple

from mmd.analytics.bootstrap import Interval
from mmd.analytics.fill_quality import FillRate, distinct
from mmd.analytics.metrics import Metrics
from mmd.analytics.performance import Ratio
from mmd.analytics.periods import PeriodRow

BARS_MIN: Final = 30
"""Fewer bars than this make no ratio worth printing; JSON has it all the same."""
NOTHING: Final = "-"
PERIOD_HEADER: Final = (
    "period",
    "instrument",
    "sessions",
    "hours",
    "PnL",
    "spread",
    "rebates",
    "fees",
    "inventory",
    "funding",
    "hedging",
    "arbitrage",
    "Sharpe ± se",
    "max drawdown",
    "fills",
    "turnover/day",
    "bps/notional",
)


class Row(NamedTuple):
    """One metric: name, value, 95 % interval or what the value rests on, definition."""

    name: str
    value: str
    interval: str
    meaning: str


class Section(NamedTuple):
    """Rows that belong together."""

    title: str
    rows: list[Row]


def sections(m: Metrics) -> list[Section]:
    """Every metric of one instrument, in reading order."""
    return [
        Section("PnL and its causes", _pnl(m)),
        Section("Performance", _performance(m)),
        Section("Trading", _trading(m)),
        Section("Fills", _fills(m)),
        Section("Markouts and adverse selection", _adverse(m)),
        Section("Inventory", _inventory(m)),
        Section("Quotes", _quotes(m)),
    ]


def period_cells(row: PeriodRow) -> tuple[str, ...]:
    """A row under PERIOD_HEADER."""
    causes = row.attribution
    return (
        row.period,
        f"{row.venue}:{row.symbol}",
        str(row.sessions),
        f"{row.hours:.2f}",
        f"{row.pnl:+,.4f} {row.currency}",
        f"{causes.spread:+,.4f}",
        f"{causes.rebates:+,.4f}",
        f"{causes.fees:+,.4f}",
        f"{causes.inventory:+,.4f}",
        f"{causes.funding:+,.4f}",
        f"{causes.hedging:+,.4f}",
        f"{causes.arbitrage:+,.4f}",
        _ratio(row.sharpe),
        f"{row.drawdown:,.4f} ({100 * row.drawdown_of_capital:.3f} %)",
        f"{row.fills:,}",
        _number(row.turnover_per_day, ",.1f", "x"),
        _number(row.profit_per_share_bps, "+.3f"),
    )


def _pnl(m: Metrics) -> list[Row]:
    causes, unit = m.attribution, m.currency
    rows = [
        Row(name, f"{amount:+,.4f} {unit}", "", meaning)
        for name, amount, meaning in (
            ("PnL", m.pnl, "by balances, inventory at mid; equals the sum of what follows"),
            (
                "spread",
                causes.spread,
                "what fills of quotes were better than the mid just before them",
            ),
            ("rebates", causes.rebates, "commissions paid to us"),
            ("fees", causes.fees, "commissions paid by us"),
            (
                "inventory",
                causes.inventory,
                "the mid's moves with the inventory that quotes brought",
            ),
            ("funding", causes.funding, "what perpetuals paid to us for holding them"),
            (
                "hedging",
                causes.hedging,
                "hedges and flattenings: their fills, and the moves on what they brought",
            ),
            ("arbitrage", causes.arbitrage, "legs of arbitrage and their unwinding, likewise"),
        )
    ]
    rows += [
        Row("unpriced fees", f"{amount:,.8f} {asset}", "", "in no PnL: the asset's rate is unknown")
        for asset, amount in m.unpriced_fees.items()
    ]
    return rows


def _performance(m: Metrics) -> list[Row]:
    bars, factor = m.sharpe.annualised.count, m.sharpe.annual_factor
    how = f"{bars} bars of {m.sharpe.bar_s} s, annualised x {factor:.1f}"
    fallen = f"{m.drawdown:,.4f} {m.currency}"
    return [
        Row("Sharpe ± standard error", _ratio(m.sharpe), _ratio_span(m.sharpe), how),
        Row(
            "Sortino", _ratio(m.sortino), _ratio_span(m.sortino), "the same over downside deviation"
        ),
        Row("max drawdown", fallen, "", "largest fall of marked equity from its peak, as sampled"),
        Row(
            "max drawdown of capital",
            f"{100 * m.drawdown_of_capital:.4f} %",
            "",
            f"of {m.capital:,.0f} {m.currency} allocated",
        ),
    ]


def _trading(m: Metrics) -> list[Row]:
    a, t, unit = m.activity, m.trips, m.currency
    per_trade = t.profit_per_trade_bps
    return [
        Row("orders sent", f"{a.orders:,}", "", ""),
        Row("fills", f"{a.fills:,}", f"{a.maker_fills:,} as maker", ""),
        Row("traded notional", f"{a.notional:,.2f} {unit}", "", ""),
        Row(
            "turnover", _number(a.turnover_per_day, ",.1f", "x a day"), "", "notional over capital"
        ),
        Row(
            "profit per share",
            _number(a.profit_per_share_bps, "+.3f", " bps"),
            "",
            "PnL over traded notional",
        ),
        Row("fees", _number(a.fees_per_notional_bps, "+.3f", " bps"), "", "of traded notional"),
        Row("round trips", f"{t.count:,}", "", "opened and closed, first in, first out"),
        Row(
            "profit factor", _number(t.profit_factor, ",.2f"), "", "gains over losses, net of fees"
        ),
        Row(
            "profit per trade",
            _number(per_trade.estimate, "+.3f", " bps"),
            span(per_trade, "+.3f"),
            "mean net return of a round trip",
        ),
        Row("winning trips", percent(t.win_rate), "", "share with a gain after fees"),
        Row("holding time", _number(t.held_s_median, ",.1f", " s"), "", "median of round trips"),
    ]


def _fills(m: Metrics) -> list[Row]:
    rows = [
        Row(
            f"fill rate within {_distance(rate)}",
            _number(rate.rate_per_s, ".5f", " /s"),
            "",
            f"{rate.filled_lots:,} lots filled of {rate.quoted_lot_s:,.0f} quoted lot seconds",
        )
        for rate in distinct(m.fills.rates)
    ]
    rows += [
        Row(
            f"fill probability at {lifetime}",
            percent(found.estimate),
            percent_span(found),
            f"of {found.count:,} orders; cancelled ones censored",
        )
        for lifetime, found in m.fills.probability.items()
    ]
    meaning = "orders with a fill over orders sent; falls with every requote"
    return [*rows, Row("naive fills/orders", percent(m.fills.naive_ratio), "", meaning)]


def _adverse(m: Metrics) -> list[Row]:
    edge = m.edge_bps
    rows = [Row("edge", _bps(edge), span(edge, "+.3f"), "against the mid just before, by quantity")]
    rows += [
        Row(
            f"markout {point.horizon_s:g} s",
            _bps(point.markout_bps),
            span(point.markout_bps, "+.3f"),
            f"net of fees, {point.markout_bps.count:,} fills; mid alone {_bps(point.adverse_bps)}",
        )
        for point in m.markouts
    ]
    return rows + [
        Row(
            f"adverse rate {rate.horizon_s:g} s",
            percent(rate.excess.estimate),
            percent_span(rate.excess),
            f"P(AS < -edge) {percent(rate.rate)} less {percent(rate.baseline)} at random times",
        )
        for rate in m.adverse
    ]


def _inventory(m: Metrics) -> list[Row]:
    i = m.inventory
    if i is None:
        return []
    return [
        Row("average", f"{i.average:+,.6g}", "", "base, weighted by time"),
        Row("standard deviation", f"{i.sd:,.6g}", "", "base, weighted by time"),
        Row("largest", f"{i.largest:,.6g}", "", "base, either way"),
        Row("limit used", percent(i.limit_used), "", "largest share of the position limit"),
        Row("inside the limit", percent(i.within_limit), "", "share of time"),
        Row("half-life", _number(i.half_life_s, ",.1f", " s"), "", "of an excursion from its mean"),
    ]


def _quotes(m: Metrics) -> list[Row]:
    s = m.spreads
    rows = [
        Row("market spread", _number(s.market_bps, ".3f", " bps"), "", "average over time"),
        Row(
            "quoted spread",
            _number(s.quoted_bps, ".3f", " bps"),
            "",
            "our best bid to our best ask",
        ),
        Row("two-sided", percent(s.two_sided), "", "share of time with a bid and an ask"),
        Row("at the best price", percent(s.at_best), "", "share of that with one of ours the best"),
    ]
    for state in m.states:
        why = "" if state.reason == "NONE" else f" ({state.reason.lower()})"
        rows.append(Row(f"{state.state.lower()}{why}", percent(state.share), "", "share of time"))
    return rows


def percent(share: float | None) -> str:
    """A share of 1 for people."""
    return _number(None if share is None else 100.0 * share, ".2f", " %")


def span(found: Interval, form: str) -> str:
    """The bounds of an interval, or nothing."""
    if found.low is None or found.high is None:
        return ""
    return f"{found.low:{form}} … {found.high:{form}}"


def percent_span(found: Interval) -> str:
    """The bounds of a share's interval, or nothing."""
    if found.low is None or found.high is None:
        return ""
    return f"{100.0 * found.low:.1f} … {100.0 * found.high:.1f} %"


def _bps(found: Interval) -> str:
    return _number(found.estimate, "+.3f", " bps")


def _number(value: float | None, form: str, unit: str = "") -> str:
    return NOTHING if value is None else f"{value:{form}}{unit}"


def _ratio(ratio: Ratio) -> str:
    found = ratio.annualised
    if found.count < BARS_MIN:
        return f"{NOTHING} ({found.count} of {BARS_MIN} bars)"
    error = "" if ratio.standard_error is None else f" ± {ratio.standard_error:,.1f}"
    return f"{_number(found.estimate, ',.1f')}{error}"


def _ratio_span(ratio: Ratio) -> str:
    return span(ratio.annualised, ",.1f") if ratio.annualised.count >= BARS_MIN else ""


def _distance(rate: FillRate) -> str:
    return "any distance" if rate.is_any else f"{rate.within_ticks:,} ticks"
