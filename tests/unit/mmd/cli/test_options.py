"""How option texts are read."""

import pytest

from mmd.cli.options import duration_s, parse_overrides
from mmd.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("10m", 600), ("1.5h", 5400), ("250ms", 0.25), ("7", 7), ("1d", 86400)],
)
def test_durations(text: str, seconds: float) -> None:
    """Numbers with and without units."""
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-5s", "5 parsecs", "nan", "0s", "9" * 30 + "d"])
def test_bad_durations_are_refused(text: str) -> None:
    """The message shows the text and what was expected."""
    with pytest.raises(ConfigError, match=r"--for .*expected a number above 0"):
        duration_s(text)


def test_overrides_need_an_equals_sign() -> None:
    """KEY=VALUE, the value may hold further equals signs."""
    assert parse_overrides(["a.b=c=d"]) == {"a.b": "c=d"}
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        parse_overrides(["a.b"])


def test_lists_are_json() -> None:
    """Anything else stays text, which the settings read by the key's type."""
    parsed = parse_overrides(['venues.v.instruments=["BTCUSDT", "ETHUSDT"]', "risk.loss_max=50"])
    assert parsed == {"venues.v.instruments": ["BTCUSDT", "ETHUSDT"], "risk.loss_max": "50"}
    with pytest.raises(ConfigError, match=r"--set a\.b=\[1: expected a JSON list"):
        parse_overrides(["a.b=[1"])
