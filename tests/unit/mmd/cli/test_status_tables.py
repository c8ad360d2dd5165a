"""What `mmd status` shows fits a terminal of eighty columns, and names limits in words."""

import io

import pytest
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from mmd.cli.status_tables import instruments_table, risk_table
from mmd.ops.example_state import example_state


def shown(table: Table) -> str:
    """As a terminal of eighty columns draws it."""
    console = Console(file=io.StringIO(), width=80)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_row_of_common_numbers_is_one_line() -> None:
    """No header and no number is broken."""
    state = example_state()
    (row,) = state.instruments
    row = replace(
        row, symbol="MMDUSDT", quote_state="ACTIVE", reason="NONE", mid=65432.105, pnl_total=-12.34
    )
    text = shown(instruments_table(replace(state, instruments=[row])))
    for word in ("instrument", "position", "orders", "quoting", "MMDUSDT", "ACTIVE", "65432.105"):
        assert word in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("open_orders", "open orders 50%"),
        ("orders_10s", "orders in 10 s 50%"),
        ("request_weight_60s", "request weight in 1 min 50%"),
        ("orders_86400s", "orders in 1 d 50%"),
    ],
)
def test_limits_are_named_in_words(name: str, words: str) -> None:
    """As on the page."""
    risk = replace(example_state().risk, headroom={name: 0.5})
    assert words in shown(risk_table(risk, {}))
