"""`mmd tape generate`: the generated market of a preset on a tape, as the embedded exchange tells it."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from mmd.cli.options import AsJson, duration_s
from mmd.cli.results import tell
from mmd.errors import ConfigError
from mmd.tape.names import SUFFIX


def generate(
    preset: Annotated[str, typer.Argument(help="name of a preset, or file of mmd calibrate")],
    out: Annotated[Path, typer.Argument(help=f"the tape to write, *{SUFFIX}")],
    for_: Annotated[
        str, typer.Option("--for", help="market time to generate", metavar="DURATION")
    ] = "1h",
    seed: Annotated[int, typer.Option(help="seed of the generated market", min=0)] = 1,
    symbol: Annotated[str, typer.Option(help="symbol for the header")] = "MMDUSDT",
    venue: Annotated[str, typer.Option(help="venue for the header")] = "binance_spot",
    as_json: AsJson = False,
) -> None:
    """Generate a market on a tape: trades, best prices at each change, book changes ten times a second.

    Times count from the epoch. Example: mmd tape generate default day.tape.parquet --for 6h --seed 1
    """
    from mmd.calibration.catalogue import find_preset  # noqa: PLC0415 - loads the compiler
    from mmd.calibration.generated_rows import generate_rows, preset_instrument  # noqa: PLC0415
    from mmd.tape.format import TapeHeader  # noqa: PLC0415
    from mmd.tape.writer import tape_writer  # noqa: PLC0415

    if not out.name.endswith(SUFFIX):
        raise ConfigError(f"OUT: expected a name that ends in {SUFFIX}, found {str(out)!r}")
    chosen, span_s = find_preset(preset), duration_s(for_)
    made = preset_instrument(chosen, symbol, venue)
    command = "mmd " + shlex.join(sys.argv[1:])
    with tape_writer(
        out, TapeHeader(instrument=made, source="generated", command=command)
    ) as writer:
        for rows in generate_rows(chosen, seed, span_s):
            writer.write(rows)
    counts = writer.header.counts
    result = {"tape": out, "preset": preset, "span_s": span_s, "rows": counts.rows}
    tell(result, [f"{out}: {preset}, {span_s:,.0f} s, {counts.rows:,} rows"], as_json=as_json)
