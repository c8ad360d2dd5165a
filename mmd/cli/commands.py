"""Every sub-command of `mmd` and where it is: only the one that is asked for is loaded, so that `mmd halt` need not wait for all."""

from importlib import import_module

import typer

COMMANDS = {
    "run": "run",
    "exchange": "exchange",
    "check": "check",
    "guardian": "guardian",
    "status": "operate",
    "halt": "operate",
    "resume": "operate",
    "cancel-all": "operate",
    "flatten": "operate",
    "reload": "operate",
    "journal": "journal",
    "import": "import_",
    "record": "record",
    "backtest": "backtest",
    "report": "report",
    "explain": "explain",
    "export": "export",
    "tape": "tape",
    "train": "train",
    "models": "models",
    "calibrate": "calibrate",
    "realism": "realism",
    "stress": "stress",
    "simulate": "simulate",
}
"""A command by its name on the command line: its module, in which a function or a Typer has that name, too."""


def assembled(asked: str | None) -> typer.Typer:
    """The command line with the one command that is asked for; with all where it is none of them."""
    app = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        help="Machine-learning market-making daemon. First time: mmd run --config deploy/config/embedded.toml. "
        "Something is wrong: mmd check, then docs/troubleshooting.md.\n\n"
        "Exit codes: 0 done, 1 failed, 2 configuration, 3 venue unreachable, 4 credentials, 5 journal, "
        "6 tape, 7 instrument or codec, 8 models, 9 orders may be left, 130 interrupted.",
    )
    app.callback()(lambda: None)  # else one command alone would have no name
    for name in [asked] if asked in COMMANDS else COMMANDS:
        module = import_module(f"mmd.cli.{COMMANDS[name]}")
        attribute = "import_" if name == "import" else name.replace("-", "_")
        command = getattr(module, attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name, epilog=getattr(module, "EXAMPLES", None))(command)
    return app
