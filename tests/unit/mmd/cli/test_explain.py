"""`mmd explain` for people and for programs."""

import json

import pytest
from typer.testing import CliRunner

from adapters.binance_spot.order_ids import encode_id
from mmd.cli.explain import order_in
from mmd.cli.main import app
from mmd.core.events import Fill
from mmd.core.units import session_of
from mmd.errors import ConfigError, JournalError
from mmd.journal.format import Kind, event_decoder
from mmd.journal.reader import read_spec, records
from tests.simulated_worlds import record_session


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Ten seconds of quoting."""
    return record_session(tmp_path_factory.mktemp("cli"), seconds=10.0)


def _filled(session):
    events = (event_decoder.decode(r.body) for r in records(session) if r.kind is Kind.EVENT)
    return next(e.client_order_id for e in events if isinstance(e, Fill))


def _explain(*arguments):
    return CliRunner().invoke(
        app, ["explain", *map(str, arguments)], catch_exceptions=False, env={"COLUMNS": "160"}
    )


def test_an_order_id_is_known_in_each_of_its_spellings(session):
    """As the venue shows it, as the page does; digits alone are an order only of this session."""
    spec, number = read_spec(session), _filled(session)
    assert session_of(number) == spec.session
    assert order_in(encode_id(number), spec) == number
    assert order_in(f"{number:x}", spec) == number
    assert order_in("1767225602000000000", spec) is None
    assert order_in("12:00:00", spec) is None
    with pytest.raises(ConfigError, match="client order id like"):
        order_in("mmd-nonsense", spec)


def test_the_last_quote_is_printed_term_by_term(session):
    """A table for each side whose sum is the price; what the diff wanted, what the gate said."""
    text = _explain("last", "--journal", session.parent).stdout
    for expected in ("mid", "inventory risk", "rounding", "sum", "gate: OK", "sent:"):
        assert expected in text


def test_json_holds_the_same_and_an_orders_life(session):
    """For programs."""
    number = _filled(session)
    told = json.loads(_explain(encode_id(number), "--journal", session, "--json").stdout)
    (explained,) = told["explanations"]
    assert all(t["recomputed_ticks"] == t["price_ticks"] for t in explained["targets"])
    assert told["order"]["client_order_id"] == f"{number:x}"
    assert told["order"]["fills"]
    assert "order" in _explain(encode_id(number), "--journal", session).stdout


def test_what_is_not_there_is_one_line(session):
    """An instrument that is not traded, a folder without a session."""
    with pytest.raises(ConfigError, match="expected one of MMDUSDT"):
        _explain("last", "--journal", session, "--instrument", "NONE")
    with pytest.raises(JournalError, match="holds no session"):
        _explain("last", "--journal", session / "nothing")
