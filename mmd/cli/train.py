"""`mmd train`: models from tapes or simulated markets; each command stands in a file of its own."""

import typer

from mmd.cli.train_all import EXAMPLES as ALL_EXAMPLES
from mmd.cli.train_all import all_
from mmd.cli.train_bandit import EXAMPLES as BANDIT_EXAMPLES
from mmd.cli.train_bandit import bandit
from mmd.cli.train_lstm import EXAMPLES as LSTM_EXAMPLES
from mmd.cli.train_lstm import lstm
from mmd.cli.train_q import EXAMPLES as Q_EXAMPLES
from mmd.cli.train_q import q
from mmd.cli.train_spread import EXAMPLES as SPREAD_EXAMPLES
from mmd.cli.train_spread import spread

train = typer.Typer(no_args_is_help=True, help="Train models; each is told apart by its content.")
train.command(epilog=LSTM_EXAMPLES)(lstm)
train.command(epilog=SPREAD_EXAMPLES)(spread)
train.command(epilog=Q_EXAMPLES)(q)
train.command(epilog=BANDIT_EXAMPLES)(bandit)
train.command("all", epilog=ALL_EXAMPLES)(all_)
