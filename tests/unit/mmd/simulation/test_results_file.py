"""Long runs go on where they were interrupted."""

from pathlib import Path

import pytest

from mmd.errors import ConfigError
from mmd.simulation.results_file import ResultsFile
from mmd.simulation.simulate import SimulateResult


def result(seed: int) -> SimulateResult:
    return SimulateResult(
        seed=seed,
        seconds=120.0,
        simulated_s=121.0,
        wall_s=2.0,
        events=1,
        orders=1,
        fills=1,
        crashes=0,
        checks=1,
        checks_at_rest=1,
        guarded=0,
        worst_case_ratio_max=0.5,
        cpu_s=1.0,
        faults={"stall": 1},
        levels=("NORMAL",),
    )


def test_a_line_that_was_not_finished_is_cut_off(tmp_path: Path) -> None:
    """Its seed is run again."""
    file = ResultsFile(tmp_path / "new" / "r.jsonl")
    assert file.read() == []
    file.append(result(1))
    file.append(result(2))
    path = tmp_path / "new" / "r.jsonl"
    path.write_bytes(path.read_bytes() + b'{"seed":3,"sec')
    assert file.read() == [result(1), result(2)]
    file.append(result(3))
    assert [r.seed for r in file.read()] == [1, 2, 3]


def test_another_file_is_refused(tmp_path: Path) -> None:
    """Before anything is added to it."""
    path = tmp_path / "notes.txt"
    path.write_text("shopping list\n")
    with pytest.raises(ConfigError, match=r"notes\.txt: expected results of mmd simulate"):
        ResultsFile(path).read()
