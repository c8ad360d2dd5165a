"""`mmd check`: would `mmd run` work here? One line for each thing that it needs, and what to do where it is amiss."""

import json
from typing import Annotated

import typer

from mmd import config
from mmd.cli.first_aid import compile_all, parts
from mmd.cli.options import AsJson, ConfigFile, Overrides, parse_overrides
from mmd.cli.results import tell
from mmd.errors import ConfigError, MmdError
from mmd.shell import log


def check(
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    print_schema: Annotated[
        bool, typer.Option("--print-schema", help="print the JSON Schema of the settings and end")
    ] = False,
    kernels: Annotated[
        bool, typer.Option("--kernels", help="only compile the kernels into the cache and end")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """First aid: settings, secrets, disk, ports, models, kernels and (unless it is embedded) the venue, its clock, your keys.

    Nothing is traded. The exit code is that of the first part that is amiss, 0 where all are well.

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
        told = compile_all(settings)
        tell({"part": "kernels", "ok": True, "text": told}, [told], as_json=as_json)
        return
    rows = [{"part": "settings", "ok": True, "text": str(config_file)}]
    failure: MmdError | None = None
    for name, look in parts(config_file).items():
        try:
            rows.append({"part": name, "ok": True, "text": look(settings)})
        except MmdError as error:
            failure = failure or error
            rows.append({"part": name, "ok": False, "text": str(error)})
        if not as_json:
            _tell(rows)
    if as_json:
        typer.echo(json.dumps(rows))
    if failure is not None:
        raise typer.Exit(failure.exit_code)


def _tell(rows: list[dict[str, object]]) -> None:
    """The last one, and before the first of all the settings' own."""
    for row in rows[-1:] if len(rows) > 2 else rows:
        if row["ok"]:
            typer.echo(f"ok    {row['part']:<9} {row['text']}")
        else:
            typer.echo(f"mmd: FAIL  {row['part']:<9} {row['text']}", err=True)
