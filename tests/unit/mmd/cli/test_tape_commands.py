"""`mmd import`, `export` and `tape` as a user types them: examples that work, errors of one line."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mmd.cli import main as module
from mmd.tape.format import TapeHeader
from tests.bench.tape import synthetic_rows
from tests.session import instrument
from tests.tapes import write_tape

_QUOTES = """\
time_seconds,bid_price_bid_size,ask_price_ask_size
1625097600,100.00_1.5,100.02_2
1625097601,100.01_1.5,100.02_2
"""


@pytest.fixture
def mmd(monkeypatch, capsys):
    """Runs the command in this process; returns code, output and error lines."""

    def run(*arguments: object) -> tuple[int, str, list[str]]:
        monkeypatch.setattr("sys.argv", ["mmd", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            module.main()
        out = capsys.readouterr()
        lines = [line for line in out.err.splitlines() if not line.startswith("compil")]
        return int(ended.value.code or 0), out.out, lines

    return run


@pytest.fixture
def quotes(tmp_path: Path) -> Path:
    (tmp_path / "bbo.csv").write_text(_QUOTES)
    return tmp_path / "bbo.csv"


def test_import_then_look(mmd, quotes: Path, tmp_path: Path) -> None:
    """A tape out of a CSV; info, head and verify agree on it; the header knows the command."""
    tape = tmp_path / "x.tape.parquet"
    code, out, err = mmd("import", "gemini", quotes, tape, "--symbol", "ABCUSD")
    assert (code, err) == (0, [])
    assert "ABCUSD tick 0.01 lot 0.5 (tick inferred) (lot inferred)" in out.replace("\n", " ")
    code, out, _ = mmd("tape", "info", tape, "--json")
    facts = json.loads(out)
    assert facts["counts"]["frames"] == {"snapshot": 1, "top": 2}
    assert facts["command"].startswith("mmd import gemini")
    assert mmd("tape", "info", tape)[1].startswith("instrument   gemini ABCUSD (ABC/USD, spot)")
    code, out, _ = mmd("tape", "head", tape, "-n", 2)
    assert [json.loads(line)["kind"] for line in out.splitlines()] == ["snapshot", "top"]
    assert "5 rows verify" in mmd("tape", "verify", tape)[1]
    assert json.loads(mmd("tape", "verify", tape, "--json")[1]) == {"rows": 5, "issues": {}}


def test_import_as_json(mmd, quotes: Path, tmp_path: Path) -> None:
    """Header, findings and what was left out."""
    quotes.write_text(_QUOTES + "1625097602,100.05_1.5,100.02_2\n")
    code, out, _ = mmd("import", "gemini", quotes, tmp_path / "x.tape.parquet", "--json")
    assert code == 0
    made = json.loads(out)
    assert made["findings"]["crossed_top"]["count"] == 1
    assert made["findings"]["crossed_top"]["places"] == [f"{quotes}: line 4"]
    assert made["header"]["instrument"]["symbol"] == "ETHUSD"


def test_export_and_plot(mmd, tmp_path: Path) -> None:
    """An npz that numpy reads and a page that stands alone."""
    tape = write_tape(tmp_path / "x.tape.parquet", synthetic_rows(100)).path
    code, out, _ = mmd("export", "hftbacktest", tape, tmp_path / "x.npz")
    assert (code, out) == (0, f"{tmp_path / 'x.npz'}: 1,601 events\n")
    assert len(np.load(tmp_path / "x.npz")["data"]) == 1_601
    assert mmd("export", "hftbacktest", tape, tmp_path / "x.npz")[0] == 2
    code, out, _ = mmd("export", "hftbacktest", tape, tmp_path / "x.npz", "--overwrite", "--json")
    made = json.loads(out)
    assert (made["file"], made["events"], made["left_out"]) == (f"{tmp_path / 'x.npz'}", 1_601, {})
    code, out, _ = mmd("tape", "plot", tape, "--points", 20, "--json")
    assert json.loads(out)["chart"] == f"{tmp_path / 'x.html'}"
    assert (tmp_path / "x.html").stat().st_size > 10**6


def test_recover_says_what_it_did(mmd, tmp_path: Path) -> None:
    """Nothing, here."""
    assert mmd("tape", "recover", tmp_path)[1] == f"{tmp_path}: nothing to recover\n"
    assert json.loads(mmd("tape", "recover", tmp_path, "--json")[1]) == {"recovered": []}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["import", "excel", "a", "b.tape.parquet"], 2, "FORMAT: expected one of binance-csv, .*found 'excel'"),
        (["import", "gemini", "a"], 2, "expected SOURCE... OUT"),
        (["import", "gemini", "a", "b.parquet"], 2, "OUT: expected a name that ends in .tape.parquet"),
        (["import", "gemini", "a", "no/b.tape.parquet"], 2, "no/b.tape.parquet: its folder does not exist"),
        (["import", "gemini", "none.csv", "b.tape.parquet"], 6, "none.csv: cannot be read"),
        (["import", "gemini", "a", "b.tape.parquet", "--tick", "0"], 2, "--tick: expected a decimal number above zero"),
        (["import", "gemini", "a", "b.tape.parquet", "--day", "yesterday"], 2, "--day: expected a date"),
        (["import", "gemini", "a", "b.tape.parquet", "--kind", "option"], 2, "--kind: expected spot, linear or inverse"),
        (["tape", "info", "none"], 6, "none: cannot be read"),
        (["tape", "verify", "none"], 6, "none: cannot be read"),
        (["export", "hftbacktest", "none", "x.csv"], 2, "OUT.npz: expected a name"),
        (["record", "folder"], 2, "no settings"),
    ],
)  # fmt: skip
def test_errors_are_one_line(mmd, tmp_path: Path, monkeypatch, arguments, code, message) -> None:
    """The exit code tells the kind."""
    monkeypatch.chdir(tmp_path)
    found, _, err = mmd(*arguments)
    assert found == code
    assert len(err) == 1
    assert re.search(message, err[0])
    assert list(tmp_path.iterdir()) == []


def test_an_existing_tape_is_kept(mmd, quotes: Path, tmp_path: Path) -> None:
    """Unless it is told otherwise; and a failed import leaves the older one as it was."""
    tape = tmp_path / "x.tape.parquet"
    assert mmd("import", "gemini", quotes, tape)[0] == 0
    before = tape.read_bytes()
    assert mmd("import", "gemini", quotes, tape)[0] == 2
    quotes.write_text(_QUOTES + "1625097602,x,y\n")
    assert mmd("import", "gemini", quotes, tape, "--overwrite")[0] == 6
    assert tape.read_bytes() == before


def test_every_format_is_listed_and_found(mmd) -> None:
    """Each name leads to a function."""
    from mmd.cli.import_ import _formats

    listed = mmd("import", "--list")[1].splitlines()
    formats = _formats()
    assert [line.split()[0] for line in listed] == sorted(formats)
    assert all(callable(known.importer()) for known in formats.values())


def test_help_shows_examples() -> None:
    """Of import and record."""
    runner = CliRunner()
    for name, example in (("import", "mmd import lobster"), ("record", "mmd record --config")):
        assert example in runner.invoke(module.app, [name, "--help"]).output


def test_header_of_a_recording_is_not_called_clean(mmd, tmp_path: Path) -> None:
    """Nobody has checked it yet."""
    from mmd.tape.writer import tape_writer

    header = TapeHeader(instrument=instrument(), source="record")
    with tape_writer(tmp_path / "000001.tape.parquet", header) as writer:
        writer.write(synthetic_rows(5))
    assert "not checked; see mmd tape verify" in mmd("tape", "info", tmp_path)[1]
