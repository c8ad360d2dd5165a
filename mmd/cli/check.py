"""`mmd check`: would `mmd run` work here? Settings, venue, clock, keys, disk, kernels, one line each."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Callable
from typing import Annotated

import typer

from mmd import config
from mmd.cli.options import ConfigFile, Overrides, parse_overrides
from mmd.errors import ConfigError, MmdError
from mmd.shell import log

_SPACE_MARGIN = 4
"""Segments that should fit on the disk."""


def check(
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    print_schema: Annotated[
        bool, typer.Option("--print-schema", help="print the JSON Schema of the settings and end")
    ] = False,
    kernels: Annotated[
        bool, typer.Option("--kernels", help="only compile the kernels into the cache and end")
    ] = False,
) -> None:
    """Check settings, disk, kernels and (unless the exchange is embedded) the venue, its clock and your keys.

    Example: mmd check --config deploy/config/embedded.toml
    """
    if print_schema:
        typer.echo(json.dumps(config.Settings.model_json_schema(), indent=2))
        return
    if config_file is None:
        raise ConfigError("no settings: pass --config FILE (examples in deploy/config)")
    settings = config.load(config_file, parse_overrides(overrides))
    log.configure(settings.log.level, settings.log.format)
    if kernels:
        typer.echo(_compile(settings))
        return
    checks: dict[str, Callable[[], str]] = {
        "adapter": lambda: _adapter(settings),
        "journal": lambda: _journal(settings),
        "kernels": lambda: _compile(settings),
        "venue": lambda: asyncio.run(_venue(settings)),
    }
    typer.echo("ok    settings  " + str(config_file))
    failure: MmdError | None = None
    for name, run in checks.items():
        try:
            typer.echo(f"ok    {name:<9} {run()}")
        except MmdError as error:
            failure = failure or error
            typer.echo(f"mmd: FAIL  {name:<9} {error}", err=True)
    if failure is not None:
        raise typer.Exit(failure.exit_code)


def _adapter(settings: config.Settings) -> str:
    """Whether the venue's own settings are what its adapter expects."""
    from mmd.app import check as check_adapter  # noqa: PLC0415

    check_adapter(settings)
    return ", ".join(f"{name}: {section.adapter}" for name, section in settings.venues.items())


def _journal(settings: config.Settings) -> str:
    """Whether the journal's folder can be written and has room."""
    folder = settings.journal.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"journal.folder = {folder}: cannot write there ({error.strerror})"
        ) from error
    free = shutil.disk_usage(folder).free
    wanted = _SPACE_MARGIN * settings.journal.segment_mib << 20
    if free < wanted:
        raise ConfigError(
            f"journal.folder = {folder}: {free >> 20} MiB free, expected at least {wanted >> 20}"
        )
    return f"{folder} writable, {free >> 30} GiB free"


def _compile(settings: config.Settings) -> str:
    """Compile every kernel, or load it from the cache."""
    from mmd.app import compile_kernels  # noqa: PLC0415 - numba loads only for this

    compiled = compile_kernels(settings)
    return (
        f"{compiled.compiled} kernels compiled in {compiled.seconds:.1f} s, the rest from the cache"
    )


async def _venue(settings: config.Settings) -> str:
    """Reach the venue, compare clocks, try the keys."""
    from mmd.app import embedded_addresses, make_venue  # noqa: PLC0415
    from mmd.shell.clock import SystemClock  # noqa: PLC0415

    if settings.starts_exchange:
        return "embedded exchange, started by mmd run"
    venue = make_venue(settings, embedded_addresses(settings), SystemClock())
    try:
        instruments = await venue.load()
    finally:
        await venue.close()
    return f"{venue.name} reached, clock and keys accepted: " + ", ".join(
        i.symbol for i in instruments
    )
