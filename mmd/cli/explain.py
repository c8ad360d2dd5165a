"""`mmd explain`: why it quoted what it quoted, from the journal."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from mmd.cli.options import AsJson
from mmd.errors import ConfigError

if TYPE_CHECKING:
    from mmd.analytics.moment import Moment
    from mmd.analytics.order_life import OrderLife
    from mmd.analytics.quote_explanation import Explanation
    from mmd.core.spec import SessionSpec
    from mmd.core.units import ClientOrderId

EXAMPLES = """
Examples:

  mmd explain last

  mmd explain 2026-01-01T12:00:00.5Z --journal var/journal

  mmd explain mmd5f3a2b1c-1f --json
"""
_What = Annotated[
    str,
    typer.Argument(
        help="last (the last decision that sent an order), a time (UTC, or engine nanoseconds), or a client "
        "order id as the venue or the daemon's page shows it"
    ),
]
_Journal = Annotated[
    Path,
    typer.Option(
        "--journal", "-j", help="a session's folder, or the journal folder: then its latest"
    ),
]
_Instrument = Annotated[
    str | None, typer.Option(help="symbol, where a session trades several; default: all")
]


def explain(
    what: _What = "last",
    journal: _Journal = Path("var/journal"),
    instrument: _Instrument = None,
    as_json: AsJson = False,
) -> None:
    """Replay a session to a moment and show each term that made the quotes, or an order's whole life."""
    from mmd.analytics.moment import explain as explain_at  # noqa: PLC0415 - loads the compiler
    from mmd.analytics.moment import find_order  # noqa: PLC0415
    from mmd.analytics.order_life import order_life  # noqa: PLC0415
    from mmd.journal.reader import read_spec, session_at  # noqa: PLC0415
    from mmd.shell.warmup import compile_progress  # noqa: PLC0415

    folder = session_at(journal)
    spec = read_spec(folder)
    number = order_in(what, spec)
    life = None
    with compile_progress():
        if number is None:
            moment = _moment(folder, spec, what)
        else:
            moment = find_order(folder, number)
            life = order_life(folder, spec, number)
        found = explain_at(folder, moment)
    chosen = [e for e in found if instrument is None or e.symbol == instrument]
    if not chosen:
        known = ", ".join(e.symbol for e in found)
        raise ConfigError(f"--instrument {instrument!r}: expected one of {known}")
    if as_json:
        content = {"session": folder.name, "explanations": chosen, "order": life}
        typer.echo(msgspec.json.encode(content).decode())
        return
    _show(chosen, life)


def order_in(text: str, spec: "SessionSpec") -> "ClientOrderId | None":
    """The client order id that a text is, if it is one: as a venue's adapter writes it, or in hex."""
    from adapters.binance_spot.order_ids import PREFIX, decode_id  # noqa: PLC0415
    from mmd.core.units import ClientOrderId, session_of  # noqa: PLC0415

    if text.startswith(PREFIX):
        number = decode_id(text)
        if number is None:
            raise ConfigError(f"{text!r}: expected a client order id like {PREFIX}5f3a2b1c-1f")
        return number
    try:
        value = int(text, 16)
    except ValueError:
        return None
    is_ours = session_of(ClientOrderId(value)) == spec.session
    return ClientOrderId(value) if is_ours or not text.isdecimal() else None


def _moment(folder: Path, spec: "SessionSpec", what: str) -> "Moment":
    from mmd.analytics.moment import engine_time, find_at, find_last  # noqa: PLC0415

    return find_last(folder) if what == "last" else find_at(folder, engine_time(what, spec))


def _show(found: "list[Explanation]", life: "OrderLife | None") -> None:
    from rich.console import Console  # noqa: PLC0415 - slow to load

    from mmd.cli.explain_tables import show_explanation, show_life  # noqa: PLC0415

    console = Console()
    for explanation in found:
        show_explanation(explanation, console)
    if life is not None:
        show_life(life, console)
