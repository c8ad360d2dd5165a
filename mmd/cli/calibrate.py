"""`mmd calibrate`: parameters of the generated market from recorded data."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmd.cli.options import AsJson
from mmd.cli.results import tell

if TYPE_CHECKING:
    from mmd.calibration.calibrate import Calibrated

EXAMPLES = """
Examples:

  mmd calibrate btc.tape.parquet -o btc.json

  mmd calibrate monday.tape.parquet tuesday.tape.parquet -o pair.json --about "two calm days"

  mmd exchange --preset btc.json
"""


def calibrate(
    tapes: Annotated[
        list[Path], typer.Argument(metavar="TAPE...", help="tapes of one instrument, in order")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="preset to write, *.json")],
    about: Annotated[str, typer.Option(help="what it is, for those who read the preset")] = "",
    as_json: AsJson = False,
) -> None:
    """Estimate a preset of the generated market from depth and trades; what cannot be estimated is listed in it."""
    from mmd.calibration.calibrate import calibrate as estimate  # noqa: PLC0415 - loads the compiler
    from mmd.calibration.calibrate import chained  # noqa: PLC0415
    from mmd.calibration.catalogue import write_preset  # noqa: PLC0415
    from mmd.errors import ConfigError  # noqa: PLC0415
    from mmd.shell.warmup import compile_progress  # noqa: PLC0415
    from mmd.tape.reader import open_tape  # noqa: PLC0415

    if out.suffix != ".json":
        raise ConfigError(f"--out: expected a name that ends in .json, found {str(out)!r}")
    opened = [open_tape(path) for path in tapes]
    instrument = opened[0].header.instrument
    for tape in opened[1:]:
        if tape.header.instrument != instrument:
            raise ConfigError(
                f"{tape.path}: expected {instrument.symbol} on the grid of {opened[0].path}, found "
                f"{tape.header.instrument.symbol} tick {tape.header.instrument.tick_size}; calibrate it apart"
            )
    imports = "; ".join(t.header.command or str(t.path) for t in opened)
    told = about or f"{instrument.venue} {instrument.symbol}"
    with compile_progress():
        found = estimate(
            chained([t.batches for t in opened]),
            instrument,
            about=told,
            command=f"{imports}; mmd {shlex.join(sys.argv[1:])}",
        )
    write_preset(found.preset, out)
    result, lines = _told(found, told, out)
    tell(result, lines, as_json=as_json)


def _told(found: "Calibrated", about: str, out: Path) -> tuple[dict[str, object], list[str]]:
    """What was estimated, for programs and for people."""
    orders, hawkes, news = len(found.observed.orders.ts_ns), found.hawkes, found.information
    diffusion, span_s, missing = found.diffusion, found.observed.span_s, found.preset.not_estimated
    lines = [
        f"{out}: {about}, {span_s:,.0f} s, {orders:,} market orders",
        f"market orders: {hawkes.mu:.4g}/s a side, branching {hawkes.branching:.3f}, decay {hawkes.decay:.3g}/s",
        f"mid: {diffusion.sigma_ticks:.4g} ticks per root second, {diffusion.jump_rate:.3g} jumps/s",
        f"information: phi {news.phi:.3f}, J {news.jump_ticks:.4g} ticks, v {news.release:.2f}/s",
        *(f"not estimated: {text}" for text in missing),
    ]
    result = {
        "preset": out,
        "about": about,
        "span_s": span_s,
        "market_orders": orders,
        "orders_per_s_side": hawkes.mu,
        "branching": hawkes.branching,
        "decay_per_s": hawkes.decay,
        "sigma_ticks": diffusion.sigma_ticks,
        "jumps_per_s": diffusion.jump_rate,
        "phi": news.phi,
        "information_ticks": news.jump_ticks,
        "release_per_s": news.release,
        "not_estimated": missing,
    }
    return result, lines
