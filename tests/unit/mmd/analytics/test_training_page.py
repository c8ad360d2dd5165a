"""The training report says what the numbers are and where they come from."""

from mmd.analytics.bootstrap import Interval
from mmd.analytics.forecast_scores import Against, Bin, HorizonScores
from mmd.analytics.training_page import Losses, told, training_page
from tests.trained_models import manifest


def scores() -> HorizonScores:
    """One horizon; ours is better by 0.01."""
    less, more = Interval(0.02, 0.01, 0.03, 20), Interval(0.03, 0.02, 0.04, 20)
    hits, by = Interval(0.55, 0.54, 0.56, 20), Interval(0.01, 0.005, 0.015, 20)
    bins = [Bin(0.1 * i, 0.1 * i, 10) for i in range(10)]
    against = [Against("linear", less, hits, by, by)]
    return HorizonScores(
        10,
        100,
        80,
        "day",
        more,
        hits,
        against,
        0.24,
        0.25,
        bins,
        bins,
        [[30, 20, 10], [5, 5, 1030]],
    )


def test_the_report_holds_verdicts_intervals_and_provenance() -> None:
    """Verdict sentences, the tables, four figures, the command, and the id."""
    made = manifest("price_lstm", command="mmd train lstm <a> --out b")
    page = training_page(made, [Losses(1.0, 1.1), Losses(0.9, 1.0)], [scores()])
    assert "10 bars ahead: beats the linear baseline: R2 difference +0.0100" in page
    assert "0.0300 [0.0200, 0.0400]" in page
    assert "-0.0100 [-0.0150, -0.0050]" in page  # of the baseline, less ours
    assert "<td>a fall</td><td>30 (50.0%)</td><td>20 (33.3%)</td>" in page
    assert "<td>1,030 (99.0%)</td>" in page
    assert page.count('<div class="plot"></div>') == 4
    assert "mmd train lstm &lt;a&gt; --out b" in page
    assert made.id in page


def test_what_is_unknown_is_a_dash() -> None:
    """And an estimate without an interval stands alone."""
    assert told(Interval(None, None, None, 0)) == "-"
    assert told(Interval(0.5, None, None, 3)) == "0.5000"
