"""`mmd models`: which models there are, who trades, and how fast they are here."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from mmd.cli.models_bench import bench
from mmd.cli.options import AsJson

if TYPE_CHECKING:
    from models.artefact import Manifest
    from models.registry import Registry

models = typer.Typer(
    no_args_is_help=True, help="Learned models: which there are, and which one trades."
)
models.command()(bench)
Folder = Annotated[
    Path, typer.Option(help="the registry, as models.folder of the settings", show_default=True)
]
_DEFAULT = Path("var/models")
_HEADLINES = ("r2", "edge_over", "reward_ticks")
"""How the figure begins that says most of a model of each kind."""
ModelId = Annotated[str, typer.Argument(help="a model's id, or the beginning of it", metavar="ID")]
KindName = Annotated[
    str, typer.Argument(help="price_lstm, spread_forest or q_table", metavar="KIND")
]


@models.command("list")
def list_(folder: Folder = _DEFAULT, as_json: AsJson = False) -> None:
    """List every model: what it was trained on, what it scored, whether it trades.

    Example: mmd models list
    """
    registry = _registry(folder)
    rows = [_row(registry, model_id) for model_id in registry.ids()]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    if not rows:
        typer.echo(f"no models in {folder}; train one with mmd train")
        return
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("model", "role", "symbol"):
        table.add_column(heading, no_wrap=True)
    table.add_column("out of sample", overflow="fold")
    for row in rows:
        symbol = row["instrument"].split(":")[-1]
        table.add_row(row["id"], row["role"], symbol, _headline(row["metrics"]))
    Console().print(table)


def _headline(metrics: dict[str, float]) -> str:
    """The first figure that sums a model up, as `mmd models show` has all of them."""
    for name in _HEADLINES:
        for key, value in metrics.items():
            if key.startswith(name):
                return f"{key} {value:.3g}"
    return next((f"{key} {value:.3g}" for key, value in metrics.items()), "")


@models.command()
def show(model: ModelId, folder: Folder = _DEFAULT, as_json: AsJson = False) -> None:
    """Show all that a model says of itself: data, settings, metrics, command.

    Example: mmd models show price_lstm-3f0c
    """
    import msgspec  # noqa: PLC0415

    registry = _registry(folder)
    manifest = registry.manifest(model)
    said = {
        "id": manifest.id,
        "role": _role(registry, manifest),
        "path": str(registry.path(model)),
    }
    found: dict[str, Any] = said | msgspec.to_builtins(manifest)
    if said["role"] == "demoted":
        found["demoted"] = msgspec.to_builtins(registry.pointers(manifest.kind).demoted)
    if as_json:
        typer.echo(json.dumps(found))
        return
    for key, value in found.items():
        is_many = isinstance(value, dict | list | tuple)
        lines = json.dumps(value, indent=2) if is_many else str(value)
        typer.echo(f"{key:<10} {lines}")


@models.command()
def verify(
    model: Annotated[
        str | None, typer.Argument(help="a model's id; none: all of them", metavar="[ID]")
    ] = None,
    us_max: Annotated[
        float,
        typer.Option(
            min=0.0, help="processor time that a bar may take, in microseconds", show_default=False
        ),
    ] = math.inf,
    folder: Folder = _DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Check that a model's files are whole and that it computes here what it did where it was made; say what a bar takes.

    Example: mmd models verify
    """
    from mmd.errors import ArtefactError  # noqa: PLC0415
    from models.checks import check_cost  # noqa: PLC0415

    registry = _registry(folder)
    wrong: dict[str, str] = {}
    cost_us: dict[str, float] = {}
    ids = registry.ids() if model is None else [registry.path(model).name]
    for model_id in ids:
        try:
            cost_us[model_id] = check_cost(registry.load(model_id), 1e3 * us_max) / 1e3
        except ArtefactError as error:
            wrong[model_id] = str(error)
        if not as_json:
            said = "wrong " if model_id in wrong else f"ok     {cost_us[model_id]:8.1f} us a bar "
            typer.echo(f"{said} {model_id}")
    if as_json:
        typer.echo(json.dumps({"verified": list(cost_us), "us": cost_us, "wrong": wrong}))
    if wrong:
        raise ArtefactError("\n".join(wrong.values()))


@models.command()
def promote(model: ModelId, folder: Folder = _DEFAULT, as_json: AsJson = False) -> None:
    """Make a model champion, once it has been verified: a running daemon takes it within a second.

    Example: mmd models promote price_lstm-3f0c
    """
    registry = _registry(folder)
    before = registry.promote(model)
    _tell(as_json, champion=registry.path(model).name, before=before)


@models.command()
def rollback(kind: KindName, folder: Folder = _DEFAULT, as_json: AsJson = False) -> None:
    """Make the champion before this one champion again.

    Example: mmd models rollback price_lstm
    """
    registry = _registry(folder)
    before = registry.pointers(_kind(kind)).champion
    _tell(as_json, champion=registry.rollback(_kind(kind)), before=before)


@models.command()
def challenge(model: ModelId, folder: Folder = _DEFAULT, as_json: AsJson = False) -> None:
    """Have a model watched beside the champion: it predicts and is scored, and moves nothing.

    Example: mmd models challenge price_lstm-77aa
    """
    registry = _registry(folder)
    registry.challenge(model)
    _tell(as_json, challenger=registry.path(model).name)


@models.command()
def canary(
    model: Annotated[
        str | None, typer.Argument(help="a model's id, or the beginning of it", metavar="[ID]")
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="try none any more")] = False,
    folder: Folder = _DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Try a model on live quotes: in blocks of time drawn for it, at 5 % of the size at most, judged beside the champion.

    Example: mmd models canary price_lstm-77aa
    """
    from mmd.errors import ConfigError  # noqa: PLC0415

    registry = _registry(folder)
    if (model is None) is not end:
        raise ConfigError("expected a model's id, or --end; see mmd models list")
    if model is None:
        _tell(as_json, ended=registry.end_canary())
        return
    registry.canary(model)
    _tell(as_json, canary=registry.path(model).name)


def _registry(folder: Path) -> "Registry":
    from models.serving import registry_at  # noqa: PLC0415 - loads the compiler

    return registry_at(folder)


def _kind(name: str) -> Any:
    from mmd.core.learned.served_model import KINDS  # noqa: PLC0415
    from mmd.errors import ConfigError  # noqa: PLC0415

    if name not in KINDS:
        raise ConfigError(f"kind {name!r}: expected {', '.join(KINDS)}")
    return name


def _role(registry: "Registry", manifest: "Manifest") -> str:
    at = registry.pointers(manifest.kind)
    champion = "demoted" if at.demoted else "champion"
    roles = {at.challenger: "challenger", at.canary: "canary", at.champion: champion}
    return roles.get(manifest.id, "")


def _row(registry: "Registry", model_id: str) -> dict[str, Any]:
    manifest = registry.manifest(model_id)
    return {
        "id": model_id,
        "role": _role(registry, manifest),
        "instrument": f"{manifest.venue}:{manifest.symbol}",
        "bar_ms": manifest.bar_ns / 1e6,
        "horizons": list(manifest.horizons),
        "created": manifest.created,
        "metrics": manifest.metrics,
    }


def _tell(as_json: bool, **what: str) -> None:
    if as_json:
        typer.echo(json.dumps(what))
        return
    typer.echo(", ".join(f"{key} {value or 'none'}" for key, value in what.items()))
