"""Long runs go on where they were interrupted, and only with rows of their own kind."""

from pathlib import Path

import msgspec
import pytest

from mmd.errors import ConfigError
from mmd.simulation.results_file import ResultsFile
from mmd.simulation.simulate import Conditions, SimulateResult
from mmd.simulation.worlds import MarketPace
from tests.simulated_results import RESULT

CONDITIONS = Conditions(code="c0de", settings="5e77", pace=MarketPace.CALM, seconds=120.0)


def result(seed: int) -> SimulateResult:
    return msgspec.structs.replace(RESULT, seed=seed, conditions=CONDITIONS)


def test_a_line_that_was_not_finished_is_cut_off(tmp_path: Path) -> None:
    """Its seed is run again; who only reads leaves the line to the run that writes it."""
    path = tmp_path / "new" / "r.jsonl"
    file = ResultsFile(path)
    assert file.read() == []
    with file.resume(CONDITIONS) as before:
        assert before == []
        file.append(result(1))
        file.append(result(2))
    torn = path.read_bytes() + b'{"seed":3,"sec'
    path.write_bytes(torn)
    assert file.read() == [result(1), result(2)]
    assert path.read_bytes() == torn
    with file.resume(CONDITIONS) as before:
        assert before == [result(1), result(2)]
        file.append(result(3))
    assert [r.seed for r in file.read()] == [1, 2, 3]


@pytest.mark.parametrize(
    ("field", "value"),
    [("code", "other"), ("settings", "other"), ("pace", MarketPace.USUAL), ("seconds", 60.0)],
)
def test_rows_of_another_kind_of_run_are_refused(tmp_path: Path, field: str, value: object) -> None:
    """They would be added up with what they cannot be compared with."""
    file = ResultsFile(tmp_path / "r.jsonl")
    file.append(result(1))
    others = msgspec.structs.replace(CONDITIONS, **{field: value})
    with (
        pytest.raises(
            ConfigError, match=r"expected rows of .* found seed 1 of .*name another file"
        ),
        file.resume(others),
    ):
        pass
    assert file.read() == [result(1)]


def test_two_runs_do_not_share_a_file(tmp_path: Path) -> None:
    """They would run the same seeds."""
    path = tmp_path / "r.jsonl"
    with (
        ResultsFile(path).resume(CONDITIONS),
        pytest.raises(ConfigError, match="another run"),
        ResultsFile(path).resume(CONDITIONS),
    ):
        pass
    with ResultsFile(path).resume(CONDITIONS) as before:
        assert before == []


def test_another_file_is_refused(tmp_path: Path) -> None:
    """Before anything is added to it."""
    path = tmp_path / "notes.txt"
    path.write_text("shopping list\n")
    with (
        pytest.raises(ConfigError, match=r"notes\.txt: expected results of mmd simulate"),
        ResultsFile(path).resume(CONDITIONS),
    ):
        pass
    assert path.read_text() == "shopping list\n"
