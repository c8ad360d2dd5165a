"""Options that several commands share, and how their text is read."""

import re
from pathlib import Path
from typing import Annotated

import msgspec
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
_LONGEST_S = 36_500 * 86_400.0
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)?")


def duration_s(text: str) -> float:
    """Seconds in a --for text like 90s, 10m, 1.5h, or plain seconds. Raises: ConfigError."""
    match = _DURATION.fullmatch(text.strip())
    seconds = 0.0 if match is None else float(match[1]) * _UNITS_S[match[2] or "s"]
    if not 0.0 < seconds <= _LONGEST_S:
        raise ConfigError(
            f"--for {text!r}: expected a number above 0 with ms, s, m, h or d, e.g. 90s or 10m"
        )
    return seconds


def parse_overrides(pairs: list[str] | None) -> dict[str, object]:
    """["a.b=1", 'a.c=["x"]'] -> {"a.b": "1", "a.c": ["x"]}.

    Raises:
        ConfigError: A pair without '=', or a list that does not end.
    """
    parsed: dict[str, object] = {}
    for pair in pairs or []:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set {pair!r}: expected KEY=VALUE, e.g. --set risk.loss_max=50")
        parsed[key.strip()] = _value(key.strip(), value.strip())
    return parsed


def _value(key: str, text: str) -> object:
    """Lists are JSON; all else is text, which the settings read by the key's type."""
    if not text.startswith("["):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ConfigError(
            f'--set {key}={text}: expected a JSON list, e.g. ["BTCUSDT", "ETHUSDT"]: {error}'
        ) from error
