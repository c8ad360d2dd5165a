"""User-data events, in the documents' spelling, as engine events."""

import msgspec
import pytest

from adapters.binance_spot.account_state import AccountState
from adapters.binance_spot.user_data import UserDataDecoder
from adapters.binance_spot.wire import (
    ApiFrame,
    ExecutionReport,
    MyTrade,
    OutboundAccountPosition,
    decode,
)
from mmd.core.events import (
    Balance,
    EndReason,
    Fill,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
    RejectReason,
)
from mmd.core.units import Side
from mmd.errors import CodecError

NOW, ORDER = 1_000, 5 << 32 | 1
AT = 1499405658657 * 10**6


@pytest.fixture
def account(mmd) -> AccountState:
    state = AccountState([mmd.id])
    state.in_sync = True
    return state


@pytest.fixture
def events(mmd, account, execution_report):
    """Events of one executionReport."""
    decoder = UserDataDecoder("test", [mmd], account)

    def of(**fields: object) -> list:
        report = msgspec.json.encode({"subscriptionId": 0, "event": execution_report(**fields)})
        frame = decode(report, ApiFrame, "test")
        assert isinstance(frame.event, ExecutionReport)
        return list(decoder.execution(frame.event, NOW))

    return of


def test_new_order_is_accepted_and_remembered(events, account, mmd):
    """NEW is an acceptance; the venue's id is linked to ours for later trades."""
    assert events() == [OrderAccepted(NOW, mmd.id, ORDER, 4293153, AT)]
    assert account.client_id(4293153) == ORDER


def test_trade_is_a_fill_with_its_fee(events, account, mmd):
    """TRADE carries price, quantity, maker flag, fee and trade id, all exact."""
    fields = {
        "x": "TRADE",
        "X": "PARTIALLY_FILLED",
        "S": "SELL",
        "l": "0.00300000",
        "L": "100.02000000",
        "z": "0.00300000",
        "n": "0.00030006",
        "N": "USDT",
        "t": 77,
        "m": True,
    }
    expected = Fill(NOW, mmd.id, ORDER, 4293153, 77, Side.SELL, 10_002, 3, True, 30_006, "USDT", AT)
    assert events(**fields) == [expected]
    assert account.last_trade_id[mmd.id] == 77
    assert events(**fields | {"n": "-0.00000001"})[0].fee_atoms == -1


def test_cancel_reports_the_order_by_its_original_id(events, mmd):
    """In a cancel's report c is the cancel's own id and C the order's."""
    assert events(x="CANCELED", X="CANCELED", c="randomCancelId", C="mmd5-1", z="0.50000000") == [
        OrderEnded(NOW, mmd.id, ORDER, EndReason.CANCELED, 500, AT)
    ]


@pytest.mark.parametrize(
    ("execution_type", "status", "reason"),
    [
        ("EXPIRED", "EXPIRED", EndReason.EXPIRED),
        ("EXPIRED", "EXPIRED_IN_MATCH", EndReason.SELF_TRADE),
        ("TRADE_PREVENTION", "EXPIRED_IN_MATCH", EndReason.SELF_TRADE),
        ("CANCELED", "CANCELED", EndReason.CANCELED),
    ],
)
def test_ends(events, mmd, execution_type, status, reason):
    """Every way for an order to end unfilled."""
    assert events(x=execution_type, X=status) == [OrderEnded(NOW, mmd.id, ORDER, reason, 0, AT)]


@pytest.mark.parametrize("execution_type", ["REPLACED", "TRADE_PREVENTION"])
def test_orders_that_live_on_with_another_quantity(events, mmd, execution_type):
    """An amend, or a self-trade prevention that left something, states the order anew."""
    fields = {"x": execution_type, "X": "PARTIALLY_FILLED", "q": "0.40000000", "z": "0.10000000"}
    (event,) = events(**fields, C="mmd5-1")
    assert event == OrderStatus(
        NOW,
        mmd.id,
        ORDER,
        known=True,
        open=True,
        venue_order_id=4293153,
        side=Side.BUY,
        price_ticks=10_001,
        qty_lots=400,
        filled_lots=100,
    )


def test_rejection_by_the_matching_engine(events, mmd):
    """REJECTED has its reason in r."""
    assert events(x="REJECTED", X="REJECTED", r="WOULD_MATCH_IMMEDIATELY") == [
        OrderRejected(NOW, mmd.id, ORDER, RejectReason.WOULD_TAKE, 0, "WOULD_MATCH_IMMEDIATELY")
    ]


def test_strangers_orders_show_only_their_fills(events, account, mmd):
    """An order placed by hand is counted while it works; its trades are fills of no order of ours."""
    assert events(c="web_1", i=9) == []
    assert account.foreign_open[mmd.id] == {9}
    fields = {"x": "TRADE", "X": "FILLED", "l": "0.00100000", "L": "100.00000000", "t": 5}
    (fill,) = events(c="web_1", i=9, **fields)
    assert (fill.client_order_id, fill.qty_lots) == (0, 1)
    assert account.foreign_open[mmd.id] == set()
    assert account.client_id(9) is None


def test_other_symbols_say_nothing(events):
    """The account may trade elsewhere."""
    assert events(s="OTHERUSDT") == []


def test_unknown_execution_type_is_refused_by_name(events):
    """Nothing is guessed."""
    with pytest.raises(CodecError, match="unknown execution type 'TELEPORTED'"):
        events(x="TELEPORTED")


def test_off_grid_fill_is_refused(events):
    """A price between two ticks means that our rules are wrong."""
    with pytest.raises(CodecError, match=r"a price of MMDUSDT: 100\.005"):
        events(x="TRADE", l="0.00100000", L="100.00500000", t=1)


def test_account_position_and_balances(mmd, account):
    """Balances in atoms; the newest update time is kept."""
    decoder = UserDataDecoder("venue-a", [mmd], account)
    body = b'{"e":"outboundAccountPosition","E":9,"u":7,"B":[{"a":"ETH","f":"10000.000000","l":"0.5"}]}'
    event = decode(body, OutboundAccountPosition, "test")
    assert list(decoder.balances(event, NOW)) == [
        Balance(NOW, "venue-a", "ETH", 10_000 * 10**8, 5 * 10**7)
    ]
    assert account.updated_ms == 7


def test_history_trade_equals_the_live_fill(mmd, account):
    """The same trade read from myTrades gives the same facts, and moves no high-water mark by itself."""
    body = (
        b'{"symbol":"MMDUSDT","id":77,"orderId":4293153,"price":"100.02","qty":"0.003","quoteQty":"0.3",'
        b'"commission":"0.00030006","commissionAsset":"USDT","time":1499405658657,"isBuyer":false,'
        b'"isMaker":true,"isBestMatch":true}'
    )
    decoder = UserDataDecoder("test", [mmd], account)
    fill = decoder.trade(mmd.id, ORDER, decode(body, MyTrade, "test"), NOW)
    assert fill == Fill(
        NOW, mmd.id, ORDER, 4293153, 77, Side.SELL, 10_002, 3, True, 30_006, "USDT", AT
    )
    assert account.last_trade_id[mmd.id] == -1


@pytest.mark.parametrize("side", ["", "buy", "SHORT"])
def test_a_fill_without_a_side_is_refused(events, side: str):
    """A typed error, which replaces the connection, and no KeyError, which would end the daemon."""
    with pytest.raises(CodecError, match="expected a side of BUY or SELL"):
        events(x="TRADE", l="0.00100000", L="100.01000000", t=1, S=side)
