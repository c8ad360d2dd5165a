"""A command's result: lines for people, or one JSON object on standard output for programs."""

from collections.abc import Iterable, Mapping

import msgspec
import typer


def tell(result: Mapping[str, object], lines: Iterable[str], *, as_json: bool) -> None:
    """Print what came of a command; `result` says what the lines say, and the files that were written."""
    if as_json:
        typer.echo(msgspec.json.encode(result, enc_hook=str))
        return
    for line in lines:
        typer.echo(line)


def on_the_way(line: str, *, as_json: bool) -> None:
    """Print what happened so far; not where programs read the result."""
    typer.echo(line, err=as_json)
