"""Adverse selection and markouts: what the price does after we were filled, and what quotes make of it."""

from deploy.grafana.page import BPS, Page
from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.units import NANOS_PER_SECOND

_WHO = "{{venue}} {{instrument}}"
_HORIZONS = tuple(f"{ns / NANOS_PER_SECOND:g}s" for ns in HORIZONS_NS)
_ZERO = ((None, "transparent"), (0, "red"))


def adverse() -> Page:
    """The page."""
    page = Page(
        "adverse",
        "Adverse selection and markouts",
        "What the price does after we were filled, and what quotes make of it",
    )
    _markouts(page)
    _verdicts(page)
    _answer(page)
    return page


def _markouts(page: Page) -> None:
    page.bars(
        "Markout by horizon",
        "Edge plus move of the mid after a fill, mean of all fills; below 0 is money lost before fees",
        BPS,
        *((f'avg(mmd_markout_bps{{$on,horizon="{h}"}})', h) for h in _HORIZONS),
        steps=((None, "red"), (0, "orange"), (0.5, "green")),
        span=(-10, 10),
    )
    page.lines(
        "Markouts over time",
        "The same, as the session goes on",
        BPS,
        [('avg by (horizon) (mmd_markout_bps{$on,horizon=~"1s|5s|30s|300s"})', "{{horizon}}")],
        steps=_ZERO,
    )
    page.lines(
        "Recent markout",
        "Of the latest fills after one second",
        BPS,
        [("mmd_recent_markout_bps{$on}", _WHO)],
        steps=_ZERO,
    )


def _verdicts(page: Page) -> None:
    page.lines(
        "Toxicity by rung",
        "Share of the recent fills of a side and rung that was adverse",
        "percentunit",
        [("mmd_adverse_toxicity_ratio{$on}", "{{venue}} {{side}} {{ladder_level}}")],
        steps=((None, "transparent"), (0.3, "red")),
        span=(0, 1),
    )
    page.lines(
        "Toxicity by venue",
        "Share of the recent fills at a venue that was adverse",
        "percentunit",
        [("mmd_adverse_venue_toxicity_ratio", "{{venue}}")],
        steps=((None, "transparent"), (0.3, "red")),
        span=(0, 1),
    )
    page.lines(
        "Markouts in standard deviations",
        "Of the last fills; below -2 is more than chance",
        "none",
        [("mmd_adverse_z_score{$on}", "{{venue}} {{horizon}}")],
        steps=((None, "red"), (-2, "transparent")),
    )
    page.bars(
        "Tests that fire",
        "Fills on which each of the five tests fired, by its last verdict",
        "short",
        ("sum by (test) (mmd_adverse_test_fills{$on})", "{{test}}"),
        steps=((None, "blue"),),
        span=(0, 200),
    )
    page.lines(
        "Adverse verdicts",
        "Share of the fills judged adverse, at each stage",
        "percentunit",
        [
            (
                "sum by (judged_at) (mmd_adverse_judgements_adverse_total{$on}) / sum by (judged_at) (mmd_adverse_judgements_total{$on})",
                "{{judged_at}}",
            )
        ],
        span=(0, 1),
    )
    page.lines(
        "Fills in a row that went wrong",
        "With a negative markout; many raise the risk level",
        "short",
        [("mmd_adverse_streak{$on}", _WHO)],
        span=(0, None),
    )


def _answer(page: Page) -> None:
    page.lines(
        "Answer of the quotes",
        "How strongly they answer, and what sizes and spreads are multiplied with",
        "none",
        [
            ("mmd_adverse_response_ratio{$on}", "{{venue}} response"),
            ("mmd_adverse_size_multiplier_ratio{$on}", "{{venue}} size"),
            ("mmd_adverse_spread_multiplier_ratio{$on}", "{{venue}} spread"),
        ],
        span=(0, None),
    )
    page.lines(
        "Impact",
        "Move of the mid against us after a fill, measured and as quotes reckon with it; and of trades in general",
        BPS,
        [
            ("mmd_adverse_measured_impact_bps{$on}", "{{venue}} measured"),
            ("mmd_adverse_impact_bps{$on}", "{{venue}} in quotes"),
            ("mmd_adverse_kyle_lambda_bps{$on}", "{{venue}} Kyle's lambda"),
        ],
    )
    page.lines(
        "One-sidedness of trades",
        "Imbalance of five minutes, and VPIN, a diagnostic only",
        "percentunit",
        [
            ("mmd_adverse_trade_imbalance_ratio{$on}", "{{venue}} imbalance"),
            ("mmd_adverse_vpin_ratio{$on}", "{{venue}} VPIN"),
        ],
        span=(-1, 1),
    )
