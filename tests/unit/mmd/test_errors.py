"""The hierarchy of errors and their exit codes, as documented."""

import re

import pytest

from mmd import errors
from mmd.errors import MmdError
from mmd.shell.connect_error import HttpRefusedError


def subclasses(of: type[MmdError]) -> list[type[MmdError]]:
    found = [c for c in of.__subclasses__() if c.__module__.startswith("mmd.")]
    return found + [deeper for c in found for deeper in subclasses(c)]


def test_every_error_stands_in_the_documented_hierarchy() -> None:
    """The docstring is what a reader looks at first."""
    assert HttpRefusedError in subclasses(MmdError)
    for kind in subclasses(MmdError):
        assert re.search(rf"\b{kind.__name__}\b", errors.__doc__ or ""), kind


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.MmdError, 1),
        (errors.ConfigError, 2),
        (errors.VenueError, 3),
        (errors.VenueUnreachableError, 3),
        (errors.AuthError, 4),
        (errors.JournalError, 5),
        (errors.TapeError, 6),
        (errors.InstrumentError, 7),
        (errors.CodecError, 7),
    ],
)
def test_exit_codes(kind: type[MmdError], code: int) -> None:
    """What scripts rely on."""
    assert kind("text").exit_code == code
    assert str(kind("text")) == "text"


def test_a_venue_error_keeps_the_venues_own_number() -> None:
    """0 where it gave none."""
    assert errors.VenueError("refused", -2015).code == -2015
    assert errors.AuthError("refused").code == 0
