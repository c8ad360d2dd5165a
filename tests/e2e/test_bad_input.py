"""Bad input to the real command: one clear line that says what to do, the documented exit code, no traceback."""

import gzip
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from mmd.shell.clock import SystemClock
from tests.daemon import EMBEDDED, Finished, mmd
from tests.frame_proxy import FrameProxy
from tests.live_daemon import running

FREE = ("--set", "http.port=0", "--set", "embedded.port=0")
FRAME = b'1700000000000000 {"stream":"mmdusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"MMDUSDT","U":1,"u":2,"b":[["100.01","1.000"]],"a":[]}}\n'


def run(folder: Path, *arguments: str | Path, config: Path = EMBEDDED, **env: str) -> Finished:
    """`mmd run` on free ports, in a folder of the test's own."""
    return mmd("run", "--config", config, *arguments, cwd=folder, timeout_s=60, **env)


def refused(done: Finished, code: int, *says: str) -> None:
    """One line for the reader with all of these in it, nothing on standard output, and the code."""
    assert "Traceback" not in done.err
    assert len(done.error_lines) == 1, done.err
    (line,) = done.error_lines
    assert line.startswith(("mmd: ", "mmd exchange: "))
    for part in says:
        assert part in line
    assert done.code == code, done.err
    assert done.out == ""


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of a running embedded exchange."""
    with subprocess.Popen(
        [sys.executable, "-m", "mmd.cli.main", "exchange", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path_factory.mktemp("exchange"),
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield int(line.split("listening on http://127.0.0.1:")[1].split()[0])
        process.terminate()


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def toml(folder: Path, text: str) -> Path:
    path = folder / "mmd.toml"
    path.write_text(text)
    return path


# Settings: key, value, expectation


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("risk.los_max=5", ("risk.los_max", "unknown key", "--print-schema")),
        ("quoting.levels=nine", ("quoting.levels = 'nine'", "expected", "integer")),
        ("environment=live", ("environment = live", "live_confirmed = true")),
        ("risk", ("--set 'risk'", "KEY=VALUE")),
        ("venues.embedded.instruments=[", ("venues.embedded.instruments", "JSON list")),
    ],
)
def test_a_wrong_setting_is_named(override: str, says: tuple[str, ...], tmp_path: Path) -> None:
    """On the command line."""
    refused(run(tmp_path, "--set", override), 2, *says)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("venues.embedded.adapter=kraken", ("venues.embedded.adapter", "kraken", "binance_spot")),
        (
            "venues.embedded.recv_window_ms=0",
            ("venues.embedded.recv_window_ms = '0'", "expected", "1"),
        ),
        (
            "venues.embedded.rest_url=https://api.binance.com",
            ("rest_url", "real orders", "environment = embedded"),
        ),
        ("embedded.preset=wild", ("embedded.preset = 'wild'", "calm, default")),
        ('venues.embedded.instruments=["NOSUCHUSDT"]', ("NOSUCHUSDT", "expected")),
    ],
)
def test_what_only_the_adapter_knows_is_named_too(
    override: str, says: tuple[str, ...], tmp_path: Path
) -> None:
    """Adapter, its settings, its instruments, and real venues in an environment of play money."""
    code = 7 if "NOSUCH" in override else 2
    refused(run(tmp_path, *FREE, "--set", override), code, *says)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, ("mmd.toml", "does not exist", "deploy/config")),
        ("[risk\n", ("mmd.toml", "not valid TOML", "line 1")),
        ("\udcff\udcfe", ("mmd.toml", "not valid TOML")),
        ("seed = 1\n", ("venues", "missing")),
        ("seed = 1\n[venues]\nx = 3\n", ("venues.x", "expected")),
    ],
)
def test_a_bad_file_is_named(text: str | None, says: tuple[str, ...], tmp_path: Path) -> None:
    """Missing, broken, binary, incomplete, wrongly shaped."""
    path = tmp_path / "mmd.toml"
    if text is not None:
        path.write_bytes(text.encode(errors="surrogateescape"))
    refused(run(tmp_path, config=path), 2, *says)


def test_bad_environment_variables_are_named(tmp_path: Path) -> None:
    """A value of the wrong type, a list that is none."""
    refused(run(tmp_path, MMD_RISK__LOSS_MAX="abc"), 2, "risk.loss_max = 'abc'", "expected")
    refused(run(tmp_path, MMD_EMBEDDED__TAPE="tape.gz"), 2, "embedded", "expected JSON")


def test_sandbox_without_addresses_does_not_reach_the_real_venue(tmp_path: Path) -> None:
    """The adapter's default addresses are the real ones: environment = sandbox must not fall back to them."""
    config = toml(
        tmp_path,
        'environment = "sandbox"\n[venues.b]\nadapter = "binance_spot"\napi_key = "k"\napi_secret = "s"\n',
    )
    done = run(tmp_path, "--set", "http.port=0", config=config)
    refused(
        done, 2, "venues.b", "rest_url", "api.binance.com", "deploy/config/binance-testnet.toml"
    )


# The command line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--for", "nonsense"), ("--for 'nonsense'", "expected", "90s")),
        (("--summary", "nowhere/s.json"), ("--summary nowhere/s.json", "does not exist")),
        (("--summary", "."), ("--summary .", "found a folder")),
        (("--book-audit", "/proc/audit"), ("--book-audit /proc/audit", "cannot write")),
        (("--seed", "x"), ("--seed", "integer", "found 'x'", "--help")),
        (("--bogus",), ("No such option: --bogus", "--help")),
    ],
)
def test_a_wrong_option_is_named(
    arguments: tuple[str, ...], says: tuple[str, ...], tmp_path: Path
) -> None:
    """Before anything is started."""
    refused(run(tmp_path, *arguments), 2, *says)


# Ports, folders


def test_a_taken_http_port(taken: int, tmp_path: Path) -> None:
    """The key, the port, what to do."""
    done = run(tmp_path, "--set", "embedded.port=0", "--set", f"http.port={taken}")
    refused(done, 2, f"http.port = {taken}", "taken by another program", "0 takes a free one")


def test_a_taken_exchange_port(taken: int, tmp_path: Path) -> None:
    """The exchange process says it; the reader sees it once, with the setting's name."""
    done = run(tmp_path, "--set", "http.port=0", "--set", f"embedded.port={taken}")
    refused(done, 2, f"127.0.0.1:{taken} is taken", "embedded.port")


def test_a_journal_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    done = run(tmp_path, *FREE, "--set", "journal.folder=file/journal")
    refused(done, 5, "file/journal", "journal.folder")


# Tapes


TAPES = {
    "missing.gz": (None, "cannot be read"),
    "cut.gz": (gzip.compress(FRAME * 2_000)[:-20], "gzip"),
    "empty.gz": (b"", "empty file"),
    "text.gz": (gzip.compress(b"hello there\n"), "line 1"),
    "plain.gz": (FRAME, "gzip"),
}


def write_tape(folder: Path, name: str) -> str:
    """Make the tape; returns what the complaint about it must say."""
    content, says = TAPES[name]
    if content is not None:
        (folder / name).write_bytes(content)
    return says


@pytest.mark.parametrize("name", ["missing.gz", "cut.gz"])
def test_a_tape_that_is_none(name: str, tmp_path: Path) -> None:
    """The exchange process says it; the reader sees it once, with the exchange's exit code."""
    says = write_tape(tmp_path, name)
    refused(run(tmp_path, *FREE, "--tape", name), 6, name, says)


@pytest.mark.parametrize("name", ["empty.gz", "text.gz", "plain.gz"])
def test_a_tape_that_is_none_for_the_exchange_alone(name: str, tmp_path: Path) -> None:
    """Empty, not a tape, not gzip."""
    says = write_tape(tmp_path, name)
    refused(mmd("exchange", "--port", "0", "--tape", name, cwd=tmp_path), 6, name, says)


# The venue


def test_no_exchange(tmp_path: Path) -> None:
    """Nothing listens where it is expected."""
    done = run(
        tmp_path,
        "--set",
        "embedded.autostart=false",
        "--set",
        "embedded.port=1",
        "--set",
        "http.port=0",
    )
    refused(done, 3, "127.0.0.1:1", "start the server or correct the address")


@pytest.mark.parametrize(
    ("key", "says"),
    [("api_key", "check api_key"), ("api_secret", "does not belong to api_key")],
)
def test_wrong_credentials(key: str, says: str, exchange: int, tmp_path: Path) -> None:
    """Refused at the start, and the wrong value is not shown."""
    wrong = "wrong-5d1c40e2b9f3"
    done = run(
        tmp_path, "--set", "embedded.autostart=false", "--set", f"embedded.port={exchange}", "--set", "http.port=0",
        "--set", f"venues.embedded.{key}={wrong}",
    )  # fmt: skip
    refused(done, 4, says)
    assert wrong not in done.err


class ShiftedClock:
    """The machine's clock, set wrong."""

    def __init__(self, ahead_s: float) -> None:
        self._machine = SystemClock()
        self._ahead_ns = int(ahead_s * 1e9)

    def monotonic_ns(self) -> int:
        return self._machine.monotonic_ns()

    def unix_ns(self) -> int:
        return self._machine.unix_ns() + self._ahead_ns


@pytest.mark.parametrize("ahead_s", [-90.0, 3_600.0])
async def test_a_clock_that_is_off_is_measured_and_made_up_for(
    ahead_s: float, tmp_path: Path
) -> None:
    """Minutes or hours apart: the offset is logged, and orders are accepted all the same."""
    async with (
        Sandbox(SandboxOptions(seed=5), clock=ShiftedClock(ahead_s)) as sandbox,
        running(tmp_path, sandbox.port) as daemon,
    ):
        offset_ms = (await daemon.event("venue_clock"))["offset_ms"]
        row = await daemon.quoting()
    assert offset_ms == pytest.approx(ahead_s * 1_000, abs=100)
    assert row["orders_rejected"] == 0


async def test_a_clock_beyond_repair_is_told_with_its_offset(tmp_path: Path) -> None:
    """A venue that states one time and checks requests by another."""
    async with Sandbox(SandboxOptions(seed=5)) as sandbox, FrameProxy(sandbox.rest_url) as proxy:
        clock = SystemClock()
        proxy.answers["/api/v3/time"] = lambda: {"serverTime": clock.unix_ns() // 10**6 + 10_000}
        async with running(tmp_path, proxy.port) as daemon:
            done = await daemon.ended()
    refused(done, 4, "the clock was refused", "-1021", "ms; check the time service")


# Other commands


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("bogus",), 2, "No such command 'bogus'"),
        (("exchange", "--port", "99999"), 2, "--port"),
        (("exchange", "--quote-balance", "nan"), 2, "--quote-balance"),
        (("journal", "verify", "nowhere"), 5, "nowhere holds no session"),
        (("journal", "replay", "nowhere"), 5, "nowhere holds no session"),
        (("check",), 2, "--config"),
    ],
)
def test_other_commands_refuse_in_the_same_way(
    arguments: tuple[str, ...], code: int, says: str, tmp_path: Path
) -> None:
    """One line, the documented code."""
    refused(mmd(*arguments, cwd=tmp_path), code, says)


def test_check_says_which_part_would_fail(tmp_path: Path) -> None:
    """All parts are tried; the first failure's code is returned."""
    done = mmd(
        "check", "--config", EMBEDDED, "--set", "embedded.autostart=false", "--set", "embedded.port=1",
        "--set", "http.port=0", cwd=tmp_path,
    )  # fmt: skip
    assert done.code == 3
    assert [line.split()[:2] for line in done.out.splitlines()] == [
        ["ok", part] for part in ("settings", "adapter", "secrets", "journal", "ports", "models", "kernels")
    ]  # fmt: skip
    (line,) = done.error_lines
    assert line.startswith("mmd: FAIL  venue")
    assert "127.0.0.1:1" in line


def test_help_needs_nothing(tmp_path: Path) -> None:
    """The exit codes are in it; so they are without any argument, which is a mistake."""
    shown = mmd("--help", cwd=tmp_path)
    assert (shown.code, shown.err) == (0, "")
    for code in range(8):
        assert f" {code} " in shown.out.replace("\n", " ")
    bare = mmd(cwd=tmp_path)
    assert (bare.code, bare.err) == (2, "")
    assert "Usage" in bare.out


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    """`mmd ... | head`."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "mmd.cli.main", "check", "--print-schema"]
    done = subprocess.run(
        command, stdout=write_end, stderr=subprocess.PIPE, cwd=tmp_path, check=False
    )
    os.close(write_end)
    assert b"Traceback" not in done.stderr
