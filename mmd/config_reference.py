"""Writes docs/configuration.md from the settings tree itself: `python -m mmd.config_reference docs/configuration.md`."""

import sys
import types
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from mmd.config import ENV_PREFIX, Settings
from mmd.core.settings_change import CHANGEABLE

_INTRO = """# Configuration
Every setting of `mmd`, written by `make docs` from the code that reads it. Four sources, each over the one before: a TOML file
(`--config`), the environment (`{prefix}RISK__LOSS_MAX=50`; lists as JSON), files in `/run/secrets`, the command line
(`--set risk.loss_max=50`). Unknown keys are refused, every error names key, value and what was expected. `mmd check --print-schema`
prints the same as JSON Schema, for editors.

Units stand in names: `_bps` basis points, `_ms` and `_s` milliseconds and seconds, `_notional` quote currency, `_ratio` shares of one.
A setting marked **live** can be changed while the daemon runs: edit the file, then `mmd reload` (or SIGHUP, or
`POST /api/control/reload`); all others take effect at the next start, and a reload says so.
"""
_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "integer",
    float: "number",
    str: "text",
    Decimal: "decimal",
    Path: "path",
    SecretStr: "text, secret",
}


def reference() -> str:
    """The whole page."""
    parts = [_INTRO.format(prefix=ENV_PREFIX), *_section("", Settings, "")]
    return "\n".join(parts).rstrip() + "\n"


def _section(name: str, kind: type[BaseModel], text: str) -> Iterator[str]:
    """A heading, a table, then the sections below it."""
    below: list[tuple[str, type[BaseModel], str]] = []
    rows: list[str] = []
    for key, field in kind.model_fields.items():
        path = f"{name}.{key}" if name else key
        inner = _model_in(field.annotation)
        if inner is not None:
            shape = get_origin(field.annotation)
            title = path if shape is None else f"{path}.NAME" if shape is dict else f"[[{path}]]"
            below.append((title, inner, field.description or _first_line(inner)))
        else:
            rows.append(_row(path, key, field))
    yield f"## {name or 'The session'}"
    if text:
        yield text[0].upper() + text[1:].rstrip(".") + ".\n"
    if rows:
        yield "| setting | default | values | meaning |\n|---|---|---|---|"
        yield "\n".join(rows) + "\n"
    for title, inner, said in below:
        yield from _section(title, inner, said)


def _row(path: str, key: str, field: FieldInfo) -> str:
    section = path.split(".", maxsplit=1)[0]
    spec_name = f"{key.removesuffix('_ms')}_ns" if key.endswith("_ms") else key
    live = " **live**" if spec_name in CHANGEABLE.get(section, ()) else ""
    meaning = (field.description or "").replace("|", "\\|")
    return f"| `{path}`{live} | {_default(field)} | {_values(field)} | {meaning} |"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "must be set"
    if value is None or value in ((), ""):
        return "none"
    if isinstance(value, SecretStr):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, dict):
        return "`" + ", ".join(f"{k} = {v}" for k, v in value.items()) + "`"
    if isinstance(value, tuple):
        return "`" + ", ".join(map(str, value)) + "`"
    return f"`{value}`"


def _values(field: FieldInfo) -> str:
    """Type and limits."""
    limits = []
    for rule in field.metadata:
        for sign, name in (("≥", "ge"), ("above", "gt"), ("≤", "le"), ("below", "lt")):
            bound = getattr(rule, name, None)
            if bound is not None:
                limits.append(f"{sign} {bound}")
    return ", ".join([_type_words(field.annotation), *limits])


def _type_words(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return ", ".join(f"`{part}`" for part in parts)
    if origin in (Union, types.UnionType):
        return " or ".join(_type_words(p) for p in parts if p is not type(None))
    if origin is tuple:
        return f"list of {_type_words(parts[0])}"
    if origin is dict:
        return f"table of {_type_words(parts[1])} by {_type_words(parts[0])}"
    if hasattr(kind, "__metadata__"):
        return _type_words(parts[0])
    return _WORDS.get(kind, getattr(kind, "__name__", str(kind)))


def _model_in(kind: Any) -> type[BaseModel] | None:
    """The section that a field is, or is a list or a table of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    found = (_model_in(part) for part in get_args(kind))
    return next((model for model in found if model is not None), None)


def _first_line(kind: type[BaseModel]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference())
