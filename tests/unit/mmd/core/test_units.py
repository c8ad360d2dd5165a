"""Sides, and client order ids that fit one int64."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.units import SESSION_MAX, Side, client_order_id, sequence_of, session_of


@pytest.mark.parametrize("side", Side)
def test_a_side_has_a_sign_and_an_opposite(side: Side) -> None:
    """A buy makes the position grow."""
    assert side.opposite is not side
    assert side.opposite.opposite is side
    assert side.sign == -side.opposite.sign == (1 if side is Side.BUY else -1)


@given(st.integers(0, SESSION_MAX), st.integers(0, 2**32 - 1))
def test_an_order_id_holds_session_and_sequence(session: int, sequence: int) -> None:
    """Both come back, and the whole is a non-negative int64."""
    order_id = client_order_id(session, sequence)
    assert (session_of(order_id), sequence_of(order_id)) == (session, sequence)
    assert 0 <= order_id < 2**63


def test_ids_of_a_session_grow_and_later_sessions_are_larger() -> None:
    """So they sort by age."""
    assert client_order_id(7, 1) < client_order_id(7, 2) < client_order_id(8, 1)
