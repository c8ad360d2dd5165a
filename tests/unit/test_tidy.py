"""House rules that linters cannot express."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("mmd", "adapters", "models")
SOURCES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
LINES_PER_FILE_MAX = 350
LINES_PER_FUNCTION_MAX = 60
METHODS_PER_CLASS_MAX = 24
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager"}
APPROVERS = {"mmd/core/commands.py", "mmd/core/risk/gate.py"}


def _id(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=_id)
def test_source_file_is_tidy(path: Path) -> None:
    """Every file, function and class stays small, is named for what it holds, and says so first."""
    text = path.read_text()
    assert path.stem not in VAGUE_NAMES, f"{path.name}: name the module after its content"
    assert text.count("\n") <= LINES_PER_FILE_MAX
    tree = ast.parse(text)
    assert path.stem == "__init__" or ast.get_docstring(tree), (
        "the first line says what the file holds"
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            is_command = "typer" in text and node.name in {
                "run",
                "exchange",
            }  # a list of options, not of code
            assert is_command or node.end_lineno - node.lineno < LINES_PER_FUNCTION_MAX, node.name
        elif isinstance(node, ast.ClassDef):
            methods = [
                m for m in node.body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef)
            ]
            assert len(methods) <= METHODS_PER_CLASS_MAX, node.name


@pytest.mark.parametrize("path", [p for p in SOURCES if p.stem == "__init__"], ids=_id)
def test_init_files_are_empty(path: Path) -> None:
    """Names are imported from where they are defined."""
    assert path.read_text() == ""


def test_only_the_risk_gate_approves_commands() -> None:
    """The token that makes an Approved command is named where it is defined and in the gate, nowhere else."""
    holders = {_id(p) for p in SOURCES if "GATE_TOKEN" in p.read_text()}
    assert holders == APPROVERS


def test_core_reads_no_clock() -> None:
    """Beyond what import-linter sees: no attribute of a clock is called in the core or the exchange."""
    for path in SOURCES:
        if _id(path).startswith(("mmd/core", "mmd/exchange")):
            for call in (
                "time.time",
                "monotonic(",
                "perf_counter",
                "datetime.now",
                "default_rng()",
            ):
                assert call not in path.read_text(), f"{_id(path)}: {call}"
