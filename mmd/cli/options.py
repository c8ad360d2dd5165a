"""Options that several commands share, and how their text is read."""

import re
from pathlib import Path
from typing import Annotated

import typer

from mmd.errors import ConfigError

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="TOML settings; examples in deploy/config", metavar="FILE"),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", "-s", help="override a setting, e.g. --set risk.loss_max=50", metavar="KEY=VALUE"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="machine-readable output")]
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")


def duration_s(text: str) -> float:
    """Seconds in a text like 90s, 10m, 1.5h, or plain seconds. Raises: ConfigError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ConfigError(
            f"duration {text!r}: expected a number with ms, s, m, h or d, e.g. 90s or 10m"
        )
    return float(match[1]) * _UNITS_S[match[2] or "s"]


def parse_overrides(pairs: list[str] | None) -> dict[str, str]:
    """["a.b=1"] -> {"a.b": "1"}. Raises: ConfigError on a pair without '='."""
    parsed = {}
    for pair in pairs or []:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set {pair!r}: expected KEY=VALUE, e.g. --set risk.loss_max=50")
        parsed[key.strip()] = value.strip()
    return parsed
