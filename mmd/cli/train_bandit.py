"""`mmd train bandit`: what each bandit loses where the best arm stays and where it changes; nothing is kept but a report."""

from pathlib import Path
from typing import Annotated

import typer

from mmd.cli.options import AsJson
from mmd.cli.results import tell

EXAMPLES = """
Examples:

  mmd train bandit --report bandits.html

  mmd train bandit --decisions 20000 --switches 10 --report bandits.html
"""


def bandit(
    report: Annotated[Path, typer.Option(help="HTML file to write")] = Path("bandits.html"),
    decisions: Annotated[int, typer.Option(help="of each run", min=100)] = 5_000,
    switches: Annotated[int, typer.Option(help="of the best arm", min=1)] = 4,
    seeds: Annotated[int, typer.Option(help="runs to take the mean of", min=1)] = 5,
    as_json: AsJson = False,
) -> None:
    """Compare the bandits by regret on problems with a known answer; bandits themselves learn while trading.

    Five arms with Gaussian values one standard deviation apart; rewards are known three decisions later.
    """
    from mmd.analytics.bandit_report import write_bandit_report  # noqa: PLC0415 - loads the compiler
    from models.bandit_experiment import mean_regret  # noqa: PLC0415

    still = mean_regret(decisions, 0, seeds)
    moving = mean_regret(decisions, switches, seeds)
    write_bandit_report(report, still, moving, switches)
    lost = {name: (float(still[name][-1]), float(moving[name][-1])) for name in still}
    lines = [
        f"{'regret after ' + format(decisions, ','):<24} {'unchanged':>10} {'switching':>10}",
        *(f"{name:<24} {one:>10,.0f} {other:>10,.0f}" for name, (one, other) in lost.items()),
        f"{report}: regret over time",
    ]
    regret = {name: {"unchanged": one, "switching": other} for name, (one, other) in lost.items()}
    tell({"decisions": decisions, "regret": regret, "report": report}, lines, as_json=as_json)
