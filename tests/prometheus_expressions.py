"""What a PromQL expression asks for: metric names and the labels that it picks them by."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import promql_parser

_VARIABLES = {"$__rate_interval": "1m", "$__range": "1h", "$__interval": "15s"}


class Selected(NamedTuple):
    """One selector: a metric, and (label, operator, value) of each matcher."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]


def plain(expression: str) -> str:
    """An expression of a dashboard as Prometheus would get it, for every venue and instrument."""
    for name, value in _VARIABLES.items():
        expression = expression.replace(name, value)
    return re.sub(r"\$\{?(venue|instrument)\}?", ".*", expression)


def selected(expression: str) -> list[Selected]:
    """All selectors. Raises: ValueError where it does not parse."""
    return list(_walk(promql_parser.parse(expression)))


def _walk(node: Any) -> Iterator[Selected]:
    if isinstance(node, promql_parser.VectorSelector):
        matchers = tuple(
            (m.name, str(m.op).rsplit(".", 1)[-1], m.value) for m in node.matchers.matchers
        )
        yield Selected(node.name or "", matchers)
        return
    for part in ("lhs", "rhs", "expr", "vector_selector", "param"):
        child = getattr(node, part, None)
        if child is not None:
            yield from _walk(child)
    for argument in getattr(node, "args", None) or ():
        yield from _walk(argument)
