"""`mmd status`, `halt`, `resume`, `cancel-all`, `flatten`: see and steer a daemon that runs on this machine.

Who wants to halt does not want to wait for imports: what only one of the commands needs, that one loads.
"""

import asyncio
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from mmd.cli.options import AsJson, ConfigFile, Overrides, parse_overrides
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import MmdError
from mmd.ops.shared_files import CONTROL_FILE, RUNNING_FILE, STATE_FILE
from mmd.shell.clock import SystemClock
from mmd.shell.control_socket import RELOAD, send_control

Journal = Annotated[
    Path | None,
    typer.Option("--journal", help="the running daemon's journal folder, if not the settings' one"),
]


def status(
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    journal: Journal = None,
    as_json: AsJson = False,
) -> None:
    """Show what the daemon on this machine is doing.

    Example: mmd status --config deploy/config/embedded.toml
    """
    from mmd.cli.status_tables import instruments_table, risk_table  # noqa: PLC0415
    from mmd.ops.shared_state import STALE_S, SharedStateReader  # noqa: PLC0415

    reader = SharedStateReader(_shared(config_file, overrides, journal) / STATE_FILE)
    state = reader.read()
    reader.close()
    if as_json:
        typer.echo(msgspec.json.encode(state).decode())
    else:
        console = Console()
        age_s = SystemClock().monotonic_ns() / NANOS_PER_SECOND - state.taken_monotonic_s
        if age_s > STALE_S:
            console.print(
                f"the engine has shown nothing for {age_s:.0f} s; this is what it showed last"
            )
        console.print(instruments_table(state))
        console.print(risk_table(state.risk, state.risk_refusals))


def halt(
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    journal: Journal = None,
    as_json: AsJson = False,
) -> None:
    """Pull every quote and send nothing new until `mmd resume`.

    Example: mmd halt --config deploy/config/embedded.toml
    """
    _send("halt", _shared(config_file, overrides, journal), as_json)


def resume(
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    journal: Journal = None,
    as_json: AsJson = False,
) -> None:
    """Take responsibility for whatever halted the daemon, and quote again.

    Example: mmd resume --config deploy/config/embedded.toml
    """
    _send("resume", _shared(config_file, overrides, journal), as_json)


def cancel_all(
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    journal: Journal = None,
    as_json: AsJson = False,
) -> None:
    """Pull every quote; stays so until `mmd resume`.

    Example: mmd cancel-all --config deploy/config/embedded.toml
    """
    _send("cancel_all", _shared(config_file, overrides, journal), as_json)


def flatten(
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    journal: Journal = None,
    as_json: AsJson = False,
) -> None:
    """Pull every quote, close the position by taking, and stay out until `mmd resume`; works when halted too.

    Example: mmd flatten --config deploy/config/embedded.toml
    """
    _send("flatten", _shared(config_file, overrides, journal), as_json)


def reload(
    config_file: ConfigFile = None,
    overrides: Overrides = None,
    journal: Journal = None,
    as_json: AsJson = False,
) -> None:
    """Have the running daemon read its settings anew: safe numbers take effect, the rest is refused with the reason.

    Example: mmd reload --config deploy/config/embedded.toml
    """
    done = asyncio.run(
        send_control(_shared(config_file, overrides, journal) / CONTROL_FILE, RELOAD, "cli")
    )
    if as_json:
        typer.echo(msgspec.json.encode(done).decode())
        return
    for line in done["changed"]:
        typer.echo(f"changed  {line}")
    for line in done["refused"]:
        typer.echo(f"refused  {line}")
    if not done["changed"] and not done["refused"]:
        typer.echo("nothing differs")


def _shared(config_file: Path | None, overrides: list[str] | None, journal: Path | None) -> Path:
    """The folder that the running daemon shares. Raises: MmdError where none runs."""
    if journal is None:
        from mmd import config  # noqa: PLC0415

        file = config_file or (Path("mmd.toml") if Path("mmd.toml").is_file() else None)
        journal = config.load(file, parse_overrides(overrides)).journal.folder
    pointer = journal / RUNNING_FILE
    try:
        return Path(pointer.read_text())
    except OSError as error:
        raise MmdError(
            f"no daemon runs with the journal folder {journal}: expected the file {pointer}; "
            "start mmd run, or name its folder with --journal"
        ) from error


def _send(action: str, shared: Path, as_json: bool) -> None:
    done = asyncio.run(send_control(shared / CONTROL_FILE, action, "cli"))
    typer.echo(msgspec.json.encode(done).decode() if as_json else f"{action}: accepted")
