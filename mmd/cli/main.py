"""The `mmd` command: one of its sub-commands, and expected failures as one line and a code."""

import sys

import typer
from pydantic import ValidationError

from mmd.cli.commands import assembled
from mmd.errors import ConfigError, MmdError

_INTERRUPTED = 130

app = assembled(sys.argv[1] if len(sys.argv) > 1 else None)


def main() -> None:
    """Entry point: expected failures are one line on standard error, never a traceback."""
    try:
        code = app(prog_name="mmd", standalone_mode=False)
    except MmdError as error:
        code = _refuse(str(error), error.exit_code)
    except typer.TyperException as error:
        code = _refuse(_usage(error), ConfigError.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    sys.exit(code if isinstance(code, int) else 0)


def _refuse(text: str, code: int) -> int:
    for line in text.splitlines():
        print(f"mmd: {line}", file=sys.stderr)  # noqa: T201
    return code


def _usage(error: typer.TyperException) -> str:
    """What is wrong with the command line, and where help is; nothing where the help was just shown."""
    context, cause = getattr(error, "ctx", None), error.__cause__
    message = " ".join(error.format_message().split())
    if isinstance(cause, ValidationError):
        message += f", found {cause.errors()[0]['input']!r}"
    return f"{message} (see {context.command_path} --help)" if message and context else message


if __name__ == "__main__":
    main()
