"""Writes docs/metrics.md from the collector itself: `python -m mmd.ops.metrics_reference docs/metrics.md`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from mmd.ops.example_state import example_state
from mmd.ops.family import Family
from mmd.ops.metrics import StateCollector

_UNITS = {
    "seconds": "seconds",
    "bytes": "bytes",
    "ratio": "ratio",
    "bps": "basis points",
    "ticks": "ticks",
    "lots": "lots",
    "atoms": "1e-8 base",
    "base": "base currency",
    "quote": "quote currency",
    "price": "quote currency",
    "score": "standard deviations",
}
_REPORTING = "reporting currency"
_TITLES = {
    "feed": "Feed",
    "private": "Feed",
    "book": "Book",
    "order": "Orders",
    "orders": "Orders",
    "fill": "Fills",
    "fills": "Fills",
    "edge": "Fills",
    "markout": "Fills",
    "adverse": "Adverse selection",
    "model": "Learned models",
    "risk": "Risk",
    "exposure": "Risk",
    "day": "Risk",
    "clock": "Risk",
    "blackout": "Risk",
    "position": "Inventory and PnL",
    "inventory": "Inventory and PnL",
    "var": "Inventory and PnL",
    "expected": "Inventory and PnL",
    "equity": "Inventory and PnL",
    "pnl": "Inventory and PnL",
    "fees": "Inventory and PnL",
    "correlation": "Inventory and PnL",
    "hedge": "Hedges",
    "hedges": "Hedges",
    "arbitrage": "Across venues",
    "consolidated": "Across venues",
    "journal": "Process and journal",
    "engine": "Process and journal",
    "ops": "Process and journal",
    "gc": "Process and journal",
    "loop": "Process and journal",
    "stage": "Process and journal",
    "tick": "Process and journal",
    "state": "Process and journal",
    "build": "Process and journal",
    "uptime": "Process and journal",
    "decisions": "Process and journal",
    "ready": "Process and journal",
    "notices": "Process and journal",
}
_OTHER = "Quotes"
_ORDER = (
    *("Feed", "Book", _OTHER, "Orders", "Fills", "Adverse selection", "Learned models"),
    *("Inventory and PnL", "Risk", "Hedges", "Across venues", "Process and journal"),
)
_HEAD = """# Metrics

Everything that `/metrics` shows, written by `make docs` from the code that makes it. Labels come from closed sets;
what is unknown is absent, never 0. A family appears where its feature is on: hedges with hedging, learned models with
models, arbitrage with two venues. A counter's sample ends in `_total`, a histogram's in `_bucket`, `_sum` and `_count`.
"""


def families() -> list[Family]:
    """Every family, of a State with everything in it."""
    return list(StateCollector(example_state).collect())


def reference() -> str:
    """The page."""
    by_title: dict[str, list[Family]] = {title: [] for title in _ORDER}
    for family in families():
        by_title[_TITLES.get(family.name.split("_")[1], _OTHER)].append(family)
    return _HEAD + "".join(
        line for title, found in by_title.items() for line in _section(title, found)
    )


def unit_of(family: Family) -> str:
    """What its numbers are in; empty where they count or say yes and no."""
    last = family.name.rsplit("_", 1)[-1]
    if last in _UNITS:
        return _UNITS[last]
    return _REPORTING if _REPORTING in family.documentation else ""


def _section(title: str, found: list[Family]) -> Iterator[str]:
    yield f"\n## {title}\n\n| name | type | labels | unit | what |\n|---|---|---|---|---|\n"
    for family in sorted(found, key=lambda f: f.name):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = ", ".join(_labels(family))
        yield f"| `{name}` | {family.type} | {labels} | {unit_of(family)} | {family.documentation} |\n"


def _labels(family: Family) -> list[str]:
    """In the order of their first appearance, a histogram's edges left out."""
    return list(dict.fromkeys(k for s in family.samples for k in s.labels if k != "le"))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference())
