"""A wrong setting in words: key, value and what was expected, one line per problem."""

from pydantic import ValidationError


def explain(error: ValidationError, prefix: str = "") -> str:
    """A validation error as one line per problem: key = value: what was expected."""
    lines = []
    for item in error.errors(include_url=False):
        key = ".".join([prefix] * bool(prefix) + [str(p) for p in item["loc"]]) or "settings"
        message = item["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
        match item["type"]:
            case "extra_forbidden":
                lines.append(
                    f"{key}: unknown key; expected one of those in `mmd check --print-schema`"
                )
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
