"""Results of many seeds are added up by the kind of run, and a file can be summed up while a run writes to it."""

from pathlib import Path

import msgspec
from typer.testing import CliRunner

from mmd.cli.main import app
from mmd.cli.simulate_report import report_lines
from mmd.simulation.results_file import ResultsFile
from mmd.simulation.simulate import SimulateResult
from mmd.simulation.worlds import MarketPace
from tests.simulated_results import CALM, RESULT


def _with(seed: int, **changes: object) -> SimulateResult:
    return msgspec.structs.replace(RESULT, seed=seed, **changes)


def test_hours_and_speed_are_sums_of_one_kind_of_run():
    """Two seeds of half an hour in 12 s are an hour at 300 times real time; another pace stands by itself."""
    usual = msgspec.structs.replace(CALM, pace=MarketPace.USUAL)
    rows = [RESULT, _with(2, fills=0, faults={"stall": 1, "crash": 4}), _with(3, conditions=usual)]
    text = "\n".join(report_lines(rows))
    assert text.count("simulated hours: 0 failed") == 2
    assert "2 seeds, 1.00 simulated hours" in text
    assert "4 fills" not in text
    assert "2 fills in 1 seeds" in text
    assert "300 times real time, 5.00 simulated hours a minute" in text
    assert "7 faults: crash 4, stall 3" in text


def test_a_seed_that_failed_is_named():
    """With what was broken."""
    (line,) = (x for x in report_lines([RESULT, _with(7, broken="maker0: rest")]) if "seed 7" in x)
    assert line == "seed 7 failed: maker0: rest"


def test_a_file_is_summed_up_as_it_stands(tmp_path: Path):
    """Nothing is run, and the line that is being written is left alone."""
    path = tmp_path / "night.jsonl"
    ResultsFile(path).append(RESULT)
    path.write_bytes(path.read_bytes() + b'{"seed":2,')
    ran = CliRunner().invoke(app, ["simulate", "--summary", str(path)])
    assert ran.exit_code == 0, ran.output
    assert "1 seeds, 0.50 simulated hours: 0 failed" in ran.output
    assert path.read_bytes().endswith(b'{"seed":2,')
