"""Orders on their way between engine and simulated exchange, as a record that the compiled loop carries them in."""

from typing import Final

from mmd.jit.kernel import layout

IN_FLIGHT_MAX: Final = 64
"""Requests on their way, and answers: each is about a slot of WORKING, and none has two of a kind."""
TRAIL_MAX: Final = 2048
TRAIL_MARGIN: Final = 128
"""Rows that one step of the loop can add."""

WHEN, WHAT, NUMBER, OTHER, SIDE, PX, LOTS, LEVEL = range(8)
"""Columns of a request, an answer, a row of the trail: when it arrives or happened, what it is, the order, which other,
and the order's side, price and size, and rung where it is new.

OTHER is the order replaced, the exchange's number of the order, or why it ended."""
SENT_NS: Final = PX
"""Of an answer: when it left the exchange."""

RESTS, LEFT, ACCEPTED, ENDED = range(10, 14)
"""WHAT, besides the order diff's PLACE, REPLACE and CANCEL of a request: an order came to rest at the exchange or left it;
the engine heard that it was accepted or ended."""

TRIPS = layout(
    # Set from engine and exchange before the loop runs
    ("is_on", "i8"),  # whether the loop may send orders
    ("quote_num", "i8"),  # quote atoms of a tick times a lot, as a fraction
    ("quote_den", "i8"),
    ("ticklots_max", "i8"),  # more would not fit into an integer
    ("atoms_per_lot", "i8"),
    # The account
    ("free", "i8", (2,)),  # atoms of what a buy pays with (quote), and a sell (base)
    ("last_order_id", "i8"),  # of the exchange
    # On their way, as rings
    ("entry_due_ns", "i8"),  # when the first request arrives, NEVER = there is none
    ("response_due_ns", "i8"),
    ("requests_at", "i8"),
    ("n_requests", "i8"),
    ("answers_at", "i8"),
    ("n_answers", "i8"),
    ("requests", "i8", (IN_FLIGHT_MAX, 8)),
    ("answers", "i8", (IN_FLIGHT_MAX, 8)),
    # What came of them
    ("commands", "i8"),  # sent in the loop
    ("sent", "i8"),  # orders of these
    ("skipped", "i8"),  # replacements left for another time
    (
        "quotes_both",
        "i8",
    ),  # whether there were orders on both sides when the engine last heard anything
    ("heard_ns", "i8"),  # when that was
    ("quoted_ns", "i8"),  # for how long there were
    ("n_trail", "i8"),
    ("trail", "i8", (TRAIL_MAX, 8)),
)
