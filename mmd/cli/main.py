"""The `mmd` command: assembles the sub-commands and turns expected failures into one line and a code."""

import sys

import typer
from pydantic import ValidationError

from mmd.cli.backtest import EXAMPLES as BACKTEST_EXAMPLES
from mmd.cli.backtest import backtest
from mmd.cli.calibrate import EXAMPLES as CALIBRATE_EXAMPLES
from mmd.cli.calibrate import calibrate
from mmd.cli.check import check
from mmd.cli.exchange import EXAMPLES as EXCHANGE_EXAMPLES
from mmd.cli.exchange import exchange
from mmd.cli.explain import EXAMPLES as EXPLAIN_EXAMPLES
from mmd.cli.explain import explain
from mmd.cli.export import export
from mmd.cli.guardian import EXAMPLES as GUARDIAN_EXAMPLES
from mmd.cli.guardian import guardian
from mmd.cli.import_ import EXAMPLES as IMPORT_EXAMPLES
from mmd.cli.import_ import import_
from mmd.cli.journal import journal
from mmd.cli.models import models
from mmd.cli.operate import cancel_all, flatten, halt, reload, resume, status
from mmd.cli.realism import EXAMPLES as REALISM_EXAMPLES
from mmd.cli.realism import realism
from mmd.cli.record import EXAMPLES as RECORD_EXAMPLES
from mmd.cli.record import record
from mmd.cli.report import EXAMPLES as REPORT_EXAMPLES
from mmd.cli.report import report
from mmd.cli.run import EXAMPLES as RUN_EXAMPLES
from mmd.cli.run import run
from mmd.cli.simulate import EXAMPLES as SIMULATE_EXAMPLES
from mmd.cli.simulate import simulate
from mmd.cli.stress import EXAMPLES as STRESS_EXAMPLES
from mmd.cli.stress import stress
from mmd.cli.tape import tape
from mmd.cli.train import train
from mmd.errors import ConfigError, MmdError

_INTERRUPTED = 130

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Machine-learning market-making daemon. First time: mmd run --config deploy/config/embedded.toml. "
    "Something is wrong: mmd check, then docs/troubleshooting.md.\n\n"
    "Exit codes: 0 done, 1 failed, 2 configuration, 3 venue unreachable, 4 credentials, 5 journal, "
    "6 tape, 7 instrument or codec, 8 models, 9 orders may be left, 130 interrupted.",
)
app.command(epilog=RUN_EXAMPLES)(run)
app.command(epilog=EXCHANGE_EXAMPLES)(exchange)
app.command()(check)
app.command(epilog=GUARDIAN_EXAMPLES)(guardian)
app.command()(status)
app.command()(halt)
app.command()(resume)
app.command("cancel-all")(cancel_all)
app.command()(flatten)
app.command()(reload)
app.add_typer(journal, name="journal")
app.command("import", epilog=IMPORT_EXAMPLES)(import_)
app.command(epilog=RECORD_EXAMPLES)(record)
app.command(epilog=BACKTEST_EXAMPLES)(backtest)
app.command(epilog=REPORT_EXAMPLES)(report)
app.command(epilog=EXPLAIN_EXAMPLES)(explain)
app.add_typer(export, name="export")
app.add_typer(tape, name="tape")
app.add_typer(train, name="train")
app.add_typer(models, name="models")
app.command(epilog=CALIBRATE_EXAMPLES)(calibrate)
app.command(epilog=REALISM_EXAMPLES)(realism)
app.command(epilog=STRESS_EXAMPLES)(stress)
app.command(epilog=SIMULATE_EXAMPLES)(simulate)


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
