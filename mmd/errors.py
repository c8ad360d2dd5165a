"""Every error that mmd raises on purpose.

MmdError                     expected failure; its message is one line made for a reader
├── ConfigError              a setting is missing, unknown or impossible
├── InstrumentError          a price, size or symbol that the instrument does not allow
├── CodecError               bytes that the venue's documents do not allow
├── VenueError               the venue refused or could not be reached
│   ├── AuthError            key, signature or clock refused
│   └── VenueUnreachableError no connection, or no answer in time
│       └── HttpRefusedError      an HTTP status instead of a connection (mmd.shell.connect_error)
├── JournalError             the journal cannot be written, or does not verify
├── TapeError                a recording that cannot be read as one
├── TrainingError            data that a model cannot be trained on
├── ArtefactError            a model's files that are damaged, or made for something else
├── OrdersLeftError          the guardian could not confirm that our orders are gone
└── InvariantError           a simulation found what must never be (mmd.simulation.invariants)

Programmer errors are asserts. The exit code that `mmd` returns for each class is `exit_code`:
2 configuration, 3 venue unreachable, 4 credentials, 5 journal, 6 tape, 7 instrument or codec, 8 models, 9 orders may be left, 1 others.
"""


class MmdError(Exception):
    """Base of all expected failures."""

    exit_code = 1


class ConfigError(MmdError):
    """A setting is missing, unknown or impossible."""

    exit_code = 2


class InstrumentError(MmdError):
    """A price, size or symbol that the instrument does not allow."""

    exit_code = 7


class CodecError(MmdError):
    """Bytes that the venue's documents do not allow."""

    exit_code = 7


class VenueError(MmdError):
    """The venue refused a request; `code` is the venue's own number, 0 where it gave none."""

    exit_code = 3

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class AuthError(VenueError):
    """Key, signature or clock refused."""

    exit_code = 4


class VenueUnreachableError(VenueError):
    """No connection, or no answer in time."""

    exit_code = 3


class JournalError(MmdError):
    """The journal cannot be written, or does not verify."""

    exit_code = 5


class TapeError(MmdError):
    """A recording that cannot be read as one."""

    exit_code = 6


class TrainingError(MmdError):
    """Data that a model cannot be trained on."""

    exit_code = 8


class ArtefactError(MmdError):
    """A model's files that are damaged, or made for something else."""

    exit_code = 8


class OrdersLeftError(MmdError):
    """The guardian could not confirm that our orders are gone."""

    exit_code = 9
