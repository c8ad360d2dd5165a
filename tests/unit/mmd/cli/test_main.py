"""From an exception to one line and a code."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.main import get_command

from mmd.cli import main as module
from mmd.errors import AuthError, ConfigError, TapeError


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    """`mmd ARGUMENTS` in this process; its exit code."""
    monkeypatch.setattr("sys.argv", ["mmd", *arguments])
    with pytest.raises(SystemExit) as ended:
        module.main()
    return ended.value.code


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    """Makes `mmd` a command that ends as told."""

    def make(error: BaseException) -> int | str | None:
        app = typer.Typer()

        @app.command()
        def fail() -> None:
            raise error

        monkeypatch.setattr(module, "app", app)
        return run(monkeypatch)

    return make


@pytest.mark.parametrize(
    "error",
    [ConfigError("a.b = 3: expected 4"), AuthError("key refused"), TapeError("x.gz: empty")],
)
def test_an_expected_failure_is_its_message_and_its_code(
    error, failing, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on standard error."""
    assert failing(error) == error.exit_code
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"mmd: {error}\n")


def test_several_problems_are_several_lines(failing, capsys: pytest.CaptureFixture[str]) -> None:
    """Each with the program's name."""
    assert failing(ConfigError("a: unknown\nb: missing")) == 2
    assert capsys.readouterr().err == "mmd: a: unknown\nmmd: b: missing\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), 130), (typer.Abort(), 130), (typer.Exit(4), 4), (typer.Exit(), 0)],
)
def test_other_ends_say_nothing(
    error: BaseException, code: int, failing, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C is 130."""
    assert failing(error) == code
    assert capsys.readouterr().err == ""


def test_a_bug_keeps_its_traceback(failing) -> None:
    """What nobody expected is not dressed up as something expected."""

    def call() -> None:
        failing(ZeroDivisionError("bug"))

    with pytest.raises(ZeroDivisionError):
        call()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "--bogus"), "mmd: No such option: --bogus (see mmd run --help)\n"),
        (("run", "--seed", "x"), "found 'x' (see mmd run --help)\n"),
        (("journal", "show", "--limit", "-1"), "'--limit'"),
    ],
)
def test_a_wrong_command_line_is_one_line(
    arguments: tuple[str, ...],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the way to the help."""
    assert run(monkeypatch, *arguments) == 2
    told = capsys.readouterr()
    assert says in told.err
    assert told.err.count("\n") == 1


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that is no group, with its words."""
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
    else:
        for name, inner in below.items():
            yield from commands(inner, (*path, name))


COMMANDS = dict(commands(get_command(module.app)))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    """Which names the command itself; options and arguments say what they are."""
    command = COMMANDS[path]
    said = (command.help or "") + (command.epilog or "")
    assert "Example" in said
    assert f"mmd {' '.join(path)}" in said.split("Example", 1)[1]
    for option in command.params:
        if not option.hidden and option.name != "help":
            assert getattr(option, "help", None), f"{option.name} says nothing"


@pytest.mark.parametrize("command", ["run", "journal", "status"])
def test_help_needs_nothing(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is shown at once."""
    assert run(monkeypatch, command, "--help") == 0
    assert "Usage: mmd" in capsys.readouterr().out


def test_shells_can_complete(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`mmd --show-completion` prints a script; the shell is named, as there is none above a test."""
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    assert run(monkeypatch, "--show-completion", "bash") == 0
    assert "_MMD_COMPLETE" in capsys.readouterr().out


_OBJECTS = {"mmd journal show", "mmd journal arbitrage", "mmd tape head"}
"""Print nothing but JSON, an object a line."""
_SERVERS = {"mmd exchange", "mmd guardian"}
"""Have no result: they serve until they are ended."""


def _commands(command: Any, path: str = "mmd") -> Iterator[tuple[str, set[str]]]:
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            yield from _commands(below, f"{path} {name}")
    else:
        yield path, {option for parameter in command.params for option in parameter.opts}


def test_every_result_can_be_had_as_json() -> None:
    """A command that is added says its result to programs, too."""
    found = dict(_commands(get_command(module.app)))
    without = {path for path, options in found.items() if "--json" not in options}
    assert without == _OBJECTS | _SERVERS
