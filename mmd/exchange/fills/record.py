"""The state of our orders at a simulated exchange whose market is a recording: one record, and its codes.

Orders of a side stand in order of priority (best price first, then first come), so that loops over them need
no search. Quantities ahead are floats, because probabilistic queue models take fractions of lots away.
"""

from typing import Final

from mmd.core.instrument import Instrument
from mmd.errors import ConfigError
from mmd.jit.kernel import Rec, layout, new

SLOTS: Final = 64
"""Orders a side that may rest at once."""
OUT_MAX: Final = 256
TAKEN_MAX: Final = 256

RISK_AVERSE, FRONT, POWER, POWER_2, POWER_3, LOG, LOG_2, FIFO = range(8)
QUEUE_MODELS: Final = {
    "risk_averse": RISK_AVERSE,
    "front": FRONT,
    "power": POWER,
    "power2": POWER_2,
    "power3": POWER_3,
    "log": LOG,
    "log2": LOG_2,
    "fifo": FIFO,
}
"""Codes by the names that settings use."""

ID, SIDE, PX, QTY, MAKER, TS = range(6)
"""Columns of FILLS.out."""

FILLS = layout(
    ("model", "i8"),
    ("exponent", "f8"),  # n of the power forms
    ("lot_size", "f8"),  # of base: the log forms are not free of units
    ("now_ns", "i8"),  # exchange time of the last frame or request
    ("arrivals", "i8"),  # orders that have come, ours and (order by order) everybody's
    ("n_out", "i8"),
    ("n_taken", "i8"),
    ("gaps", "i8"),  # diffs that did not continue the book
    ("n", "i8", (2,)),  # our orders, by side
    ("id", "i8", (2, SLOTS)),
    ("px", "i8", (2, SLOTS)),  # ticks
    ("leaves", "i8", (2, SLOTS)),  # lots
    ("ahead", "f8", (2, SLOTS)),  # lots in front of the order
    ("traded", "f8", (2, SLOTS)),  # lots traded at its price since the last book change there
    ("shown", "i8", (2, SLOTS)),  # lots that the book showed at its price
    ("born", "i8", (2, SLOTS)),  # arrivals when it came
    ("out", "i8", (OUT_MAX, 6)),  # fills not fetched yet: ID, SIDE, PX, QTY, MAKER, TS
    (
        "taken",
        "i8",
        (TAKEN_MAX, 3),
    ),  # what we consumed and the recording still shows: side, px, lots
)

ACCEPTED, WOULD_TAKE, FULL, UNKNOWN, EXPIRED, NOT_SMALLER = range(6)
"""What the exchange says to a request; FULL: more than SLOTS orders of a side."""


def queue_model(name: str) -> int:
    """The code of a queue model. Raises: ConfigError if there is none of that name."""
    if name not in QUEUE_MODELS:
        raise ConfigError(f"queue model: expected one of {', '.join(QUEUE_MODELS)}, found {name!r}")
    return QUEUE_MODELS[name]


def new_fills(instrument: Instrument, model: int, exponent: float = 3.0) -> Rec:
    """Empty FILLS record.

    Args:
        instrument: what is traded.
        model: code of a queue model.
        exponent: n of the power forms, above 0.

    Raises:
        ConfigError: The exponent is not above 0.
    """
    if not exponent > 0.0:
        raise ConfigError(f"queue model power: expected an exponent above 0, found {exponent}")
    fills = new(FILLS)
    fills["model"], fills["exponent"] = model, exponent
    fills["lot_size"] = float(instrument.lot_size)
    return fills
