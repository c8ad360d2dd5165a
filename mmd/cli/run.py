"""`mmd run`: the daemon."""

import functools
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from mmd import config
from mmd.cli.guardian import become_guardian
from mmd.cli.options import AsJson, ConfigFile, Overrides, duration_s, parse_overrides
from mmd.errors import ConfigError, MmdError
from mmd.ops import summary as summaries
from mmd.processes import check_shared, run_family
from mmd.shell import log
from mmd.venue_settings import venue_settings

EXAMPLES = """
Examples:

  mmd run --config deploy/config/embedded.toml                      quote on the embedded exchange

  mmd run -c deploy/config/embedded.toml --for 60s --summary s.json

  mmd run -c deploy/config/embedded.toml --tape recording.gz        trade against a recording, real time

  mmd run -c deploy/config/embedded.toml --tape recording.gz --speed max --observe
"""


def run(
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    for_: Annotated[
        str | None,
        typer.Option("--for", help="end by itself after this, e.g. 60s or 2h", metavar="DURATION"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="seed of the embedded exchange's order flow")
    ] = None,
    summary: Annotated[
        Path | None, typer.Option(help="write a JSON summary here at the end", metavar="FILE")
    ] = None,
    tape: Annotated[
        list[Path] | None,
        typer.Option(help="recording for the embedded exchange to serve; repeatable"),
    ] = None,
    speed: Annotated[
        str | None, typer.Option(help="tape speed, a factor or max; not 1 needs --observe")
    ] = None,
    observe: Annotated[
        bool, typer.Option("--observe", help="keep books and features, send no orders")
    ] = False,
    book_audit: Annotated[
        Path | None,
        typer.Option(
            help="write the top 20 at every update id here, as JSON lines", metavar="FILE"
        ),
    ] = None,
    as_json: AsJson = False,
    single_process: Annotated[
        bool, typer.Option("--single-process", help="no ops process: for debugging")
    ] = False,
    role: Annotated[str | None, typer.Option(hidden=True)] = None,
    shared: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Make markets until Ctrl-C (or --for), then pull every quote and confirm that none is left."""
    file, told = config_file or _default_config(), _overrides(overrides, seed, tape, speed, observe)
    load = functools.partial(config.load, file, told)
    settings = load()
    log.configure(settings.log.level, settings.log.format)
    ends_after_s = None if for_ is None else duration_s(for_)
    for option, path in (("--summary", summary), ("--book-audit", book_audit)):
        _check_writable(option, path)
    if role is None and not single_process:
        venue_settings(settings, ())  # told once, by us, and not by each child that reads them
        has_guardian = settings.is_guarded and not settings.guardian.address
        raise typer.Exit(run_family(sys.argv[1:], has_guardian=has_guardian))
    if role in ("guardian", "armed-guardian"):
        become_guardian(settings, check_shared(shared), armed=role != "guardian")
    if role == "ops":
        from mmd.ops.process import run_ops  # noqa: PLC0415 - each process loads only its own part

        run_ops(settings.http, settings.journal, check_shared(shared))
        return
    from mmd.daemon import RunOptions, run_daemon  # noqa: PLC0415

    options = RunOptions(
        duration_s=ends_after_s,
        book_audit=book_audit,
        shared=shared,
        load=load,
        on_address=None if as_json else _tell_address,
    )
    result = run_daemon(settings, options)
    encoded = msgspec.json.encode(result)
    if as_json:
        typer.echo(encoded.decode())
    else:
        summaries.show(result, Console())
    if summary is not None:
        _write(summary, msgspec.json.format(encoded) + b"\n")


def _tell_address(address: str) -> None:
    """One plain line on standard output; the log, on standard error, says the same in a record."""
    typer.echo(f"{address}  the live page; /metrics for Prometheus. Ctrl-C ends it in order.")


def _default_config() -> Path:
    """mmd.toml in the working folder, where there is one."""
    path = Path("mmd.toml")
    if not path.is_file():
        raise ConfigError(
            "no settings: pass --config FILE (examples in deploy/config) or create mmd.toml here"
        )
    return path


def _overrides(
    pairs: list[str] | None,
    seed: int | None,
    tape: list[Path] | None,
    speed: str | None,
    observe: bool,
) -> dict[str, object]:
    """The command line's settings; the last word of all sources."""
    parsed: dict[str, object] = dict(parse_overrides(pairs))
    if seed is not None:
        parsed["seed"] = seed
    if tape:
        parsed["embedded.tape"] = tape
    if speed is not None:
        parsed["embedded.speed"] = speed
    if observe:
        parsed["quoting.enabled"] = False
    return parsed


def _check_writable(option: str, path: Path | None) -> None:
    """Say at the start, not at the end, that a file cannot be written."""
    if path is None:
        return
    folder = path.absolute().parent
    if not folder.is_dir():
        raise ConfigError(f"{option} {path}: its folder does not exist; create it first")
    if path.is_dir():
        raise ConfigError(f"{option} {path}: expected a file, found a folder; name a file in it")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"{option} {path}: cannot write there ({error.strerror}); name another file"
        ) from error


def _write(summary: Path, text: bytes) -> None:
    try:
        summary.write_bytes(text)
    except OSError as error:
        raise MmdError(
            f"--summary {summary}: cannot be written ({error.strerror}); it was printed above"
        ) from error
