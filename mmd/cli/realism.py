"""`mmd realism`: the generated market beside a recorded one."""

from pathlib import Path
from typing import Annotated

import typer

from mmd.cli.options import AsJson, duration_s
from mmd.cli.results import tell

EXAMPLES = """
Examples:

  mmd realism btcusdt btc.tape.parquet --report btc.html

  mmd realism mine.json btc.tape.parquet --report btc.html --for 10m --seed 3
"""


def realism(
    preset: Annotated[str, typer.Argument(help="name of a preset, or file of mmd calibrate")],
    tape: Annotated[Path, typer.Argument(help="tape to compare with")],
    report: Annotated[Path, typer.Option(help="HTML file to write")],
    for_: Annotated[
        str | None,
        typer.Option("--for", help="time to generate; default: the tape's, at most an hour"),
    ] = None,
    seed: Annotated[int, typer.Option(help="seed of the generated market", min=0)] = 7,
    life: Annotated[str, typer.Option(help="how long phantom orders wait to be filled")] = "10s",
    as_json: AsJson = False,
) -> None:
    """Compare the generator with reality: distributions, volatility, order flow, fills; numbers and plots.

    Both markets are seen through the same messages: trades, best prices, and book diffs as often as the tape has them.
    """
    from mmd.calibration.catalogue import find_preset  # noqa: PLC0415 - loads the compiler
    from mmd.calibration.generated_rows import generate_rows  # noqa: PLC0415
    from mmd.calibration.observed_market import observe  # noqa: PLC0415
    from mmd.calibration.realism_report import lines, markdown, write_report  # noqa: PLC0415
    from mmd.calibration.realism_statistics import measure  # noqa: PLC0415
    from mmd.tape.reader import open_tape  # noqa: PLC0415

    chosen, opened = find_preset(preset), open_tape(tape)
    life_s = duration_s(life)
    real = observe(opened.batches())
    span_s = min(real.span_s, 3_600.0) if for_ is None else duration_s(for_)
    rows = generate_rows(
        chosen, seed, span_s, diff_period_ns=real.diff_period_ns, has_tops=real.has_tops
    )
    found = measure(real, life_s), measure(observe(rows), life_s)
    write_report(*found, f"{preset} beside {tape.name}, seed {seed}, {span_s:,.0f} s", report)
    table = lines(*found)
    result = {"statistics": [row._asdict() for row in table], "report": report}
    shown = [markdown(table), f"{report}: plots and the table above"]
    tell(result, shown, as_json=as_json)
