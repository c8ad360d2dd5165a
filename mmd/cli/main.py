"""The `mmd` command: assembles the sub-commands and turns expected failures into one line and a code."""

import sys

import click
import typer

from mmd.cli.check import check
from mmd.cli.exchange import exchange
from mmd.cli.journal import journal
from mmd.cli.run import run
from mmd.errors import MmdError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Machine-learning market-making daemon.\n\n"
    "Exit codes: 0 done, 1 failed, 2 configuration, 3 venue unreachable, 4 credentials, 5 journal, "
    "6 tape, 7 instrument or codec, 130 interrupted.",
)
app.command()(run)
app.command()(exchange)
app.command()(check)
app.add_typer(journal, name="journal")


def main() -> None:
    """Entry point: expected failures are one line on standard error, never a traceback."""
    try:
        code = app(standalone_mode=False)
    except MmdError as error:
        for line in str(error).splitlines():
            print(f"mmd: {line}", file=sys.stderr)  # noqa: T201
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = 2
    except (KeyboardInterrupt, click.Abort):
        code = 130
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
