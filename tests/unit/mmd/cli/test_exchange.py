"""`mmd exchange` as a process: says where it listens, stops cleanly, and refuses in one line."""

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

_COMMAND = (
    sys.executable,
    "-c",
    "import typer; from mmd.cli.exchange import exchange; typer.run(exchange)",
)


def test_it_serves_until_it_is_told_to_stop() -> None:
    """One line with the port that was free; SIGTERM ends it with 0 and nothing on stderr."""
    with subprocess.Popen(
        [*_COMMAND, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        found = re.search(r"listening on (http://127\.0\.0\.1:\d+) ", line)
        assert found, line
        with urllib.request.urlopen(f"{found[1]}/api/v3/ping", timeout=5) as response:
            assert response.read() == b"{}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert process.stderr.read() == ""


def _refused(*arguments: str) -> tuple[int, str]:
    command = [*_COMMAND, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.returncode, done.stderr


def test_a_taken_port_is_one_line_and_exit_code_2() -> None:
    """Another program listens there."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, text = _refused("--port", str(port))
    assert code == 2
    assert f"127.0.0.1:{port} is taken by another program" in text


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("--speed", "fast"), 2, "speed: expected a number above 0 or 'max', found 'fast'"),
        (("--tape", "{tmp}/empty.gz"), 6, "found an empty file"),
    ],
)
def test_wrong_options_and_tapes_are_one_line(
    arguments: tuple[str, ...], code: int, complaint: str, tmp_path: Path
) -> None:
    """With the exit code of their kind."""
    (tmp_path / "empty.gz").touch()
    got, text = _refused(*(a.format(tmp=tmp_path) for a in arguments))
    assert got == code
    assert complaint in text


def test_the_faults_are_listed() -> None:
    """One line of JSON and words for each, and nothing is served."""
    command = [*_COMMAND, "--faults", "list"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert '{"fault":"lose_acks","count":1}' in done.stdout
