"""A wrong setting in words: key, value and what was expected, one line per problem."""

from collections.abc import Collection
from difflib import get_close_matches

from pydantic import ValidationError

RENAMED = {
    "quoting.fixed_skew_bps": "quoting.fixed_skew_half_spreads",
    "quoting.close_time_s": "quoting.close_utc",
    "quoting.prior_seconds": "quoting.prior_fills",
}
"""What settings of earlier versions are called now; their units may be others."""


def explain(error: ValidationError, prefix: str = "", known: Collection[str] = ()) -> str:
    """A validation error as one line per problem: key = value: what was expected.

    `known` are the settings that there are, to say which one an unknown key may have meant.
    """
    lines = []
    for item in error.errors(include_url=False):
        key = ".".join([prefix] * bool(prefix) + [str(p) for p in item["loc"]]) or "settings"
        message = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        match item["type"]:
            case "extra_forbidden":
                lines.append(f"{key}: unknown key; {_meant(key, known)}")
            case "missing":
                lines.append(f"{key}: missing; it has no default and must be set")
            case "value_error":
                lines.append(f"{key}: {message}")
            case "tuple_type" | "model_type":
                wanted = (
                    "a list" if item["type"] == "tuple_type" else f"keys below it, e.g. {key}.NAME"
                )
                lines.append(f"{key}: expected {wanted}, found a {type(item['input']).__name__}")
            case _:
                shown = (
                    "***"
                    if any(s in key for s in ("secret", "token", "key"))
                    else repr(item["input"])
                )
                lines.append(f"{key} = {shown}: expected {message}")
    return "\n".join(lines)


def _meant(key: str, known: Collection[str]) -> str:
    """What a key that there is not was once, or nearly is."""
    if key in RENAMED:
        return f"it is called {RENAMED[key]} now, see docs/configuration.md"
    near = get_close_matches(key, known, n=1, cutoff=0.8)
    if near:
        return f"did you mean {near[0]}? (all of them: `mmd check --print-schema`)"
    return "expected one of those in `mmd check --print-schema`"
