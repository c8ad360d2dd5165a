"""Models: who predicts, what, how well, and what is left when a part fails."""

from deploy.grafana.page import BPS, TICKS, Page

_WHO = "{{venue}} {{instrument}}"


def models() -> Page:
    """The page."""
    page = Page(
        "models", "Models", "Who predicts, what, how well, and what is left when a part fails"
    )
    _who(page)
    _quality(page)
    _outputs(page)
    return page


def _who(page: Page) -> None:
    page.rows(
        "Champions and challengers",
        "Which artefact has which place; its name begins with its kind",
        "mmd_model_info{$on}",
        {"venue": None, "instrument": None, "role": None, "model": 230},
        size=(10, 7),
    )
    page.rows(
        "State of each part",
        "OK, or why a part has no say",
        "mmd_model_status{$on}",
        {"venue": None, "instrument": None, "part": None, "status": None},
        size=(10, 7),
    )
    page.number(
        "Ensemble",
        "What is left of it: FULL, TREES, FORECAST, GLFT or PULLED",
        "none",
        ("mmd_model_rung{$on} == 1", "{{rung}}"),
        size=(4, 7),
        is_name=True,
    )


def _quality(page: Page) -> None:
    page.lines(
        "Explained, live",
        "R² of the forecasts against no change, by horizon in bars; below 0 is worse than none",
        "percentunit",
        [("mmd_model_explained_ratio{$on}", "{{venue}} {{role}} {{bars_ahead}}")],
        steps=((None, "red"), (0, "transparent")),
    )
    page.lines(
        "Direction right",
        "Share of the moves whose sign was forecast",
        "percentunit",
        [("mmd_model_hit_ratio{$on}", "{{venue}} {{role}} {{bars_ahead}}")],
        steps=((None, "red"), (0.5, "transparent")),
    )
    page.lines(
        "Age of the prediction",
        "Time since the bar of the last prediction ended",
        "s",
        [("mmd_model_age_seconds{$on}", _WHO)],
        steps=((None, "transparent"), (30, "red")),
        span=(0, None),
    )


def _outputs(page: Page) -> None:
    page.lines(
        "Forecast",
        "Expected change of the mid, in ticks, and what quotes are told of it",
        TICKS,
        [
            ("mmd_model_forecast_ticks{$on}", "{{venue}} {{instrument}} forecast"),
            ("mmd_model_forecast_told_ticks{$on}", "{{venue}} {{instrument}} told"),
        ],
    )
    page.lines(
        "Chance of a rise",
        "Probability that the mid rises",
        "percentunit",
        [("mmd_model_rise_ratio{$on}", _WHO)],
        span=(0, 1),
    )
    page.lines(
        "Volatility forecast",
        "Expected volatility of the mid, in ticks",
        TICKS,
        [("mmd_model_volatility_ticks{$on}", _WHO)],
        span=(0, None),
    )
    page.lines(
        "Half spread, learned and quoted",
        "What the trees would quote, what quotes are told of it, and what is quoted",
        BPS,
        [
            ("mmd_model_half_spread_bps{$on}", "{{venue}} learned"),
            ("mmd_model_half_spread_told_bps{$on}", "{{venue}} told"),
            ("mmd_half_spread_bps{$on}", "{{venue}} quoted"),
        ],
        span=(0, None),
    )
    page.lines(
        "Events",
        "Swaps, refusals and changes of the ensemble since the session began",
        "short",
        [
            ("mmd_model_swaps_total{$on}", "{{venue}} swaps"),
            ("mmd_model_errors_total{$on}", "{{venue}} refusals"),
            ("mmd_model_rung_changes_total{$on}", "{{venue}} changes"),
        ],
        span=(0, None),
    )
    page.lines(
        "What fair value leans on",
        "Trust in the learned microprice, and how active the market is against its average",
        "none",
        [
            ("mmd_microprice_trust_ratio{$on}", "{{venue}} microprice"),
            ("mmd_activity_ratio{$on}", "{{venue}} activity"),
        ],
        span=(0, None),
    )
