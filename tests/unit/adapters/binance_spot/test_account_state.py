"""What is remembered of an account across reconnects, within bounds."""

from adapters.binance_spot.account_state import NO_TRADE, AccountState


def test_live_trades_count_only_while_in_sync():
    """After a reconnect a live trade proves nothing about those missed before it."""
    account = AccountState([1])
    account.saw_live_trade(1, 110)
    assert account.last_trade_id[1] == NO_TRADE
    account.read_trades_to(1, 108)
    account.in_sync = True
    account.saw_live_trade(1, 110)
    account.saw_live_trade(1, 109)
    assert account.last_trade_id[1] == 110


def test_memory_of_order_ids_is_bounded():
    """The oldest ids go when 4,096 are kept; a repeated one is no new entry."""
    account = AccountState([1])
    for venue_id in range(4_096 + 10):
        account.remember(venue_id, venue_id + 1)
        account.remember(venue_id, venue_id + 1)
    assert account.client_id(9) is None
    assert account.client_id(10) == 11
    assert account.client_id(4_105) == 4_106


def test_strangers_come_and_go():
    """Working orders of others are a set an instrument."""
    account = AccountState([1, 2])
    account.saw_foreign(1, 7, is_open=True)
    account.saw_foreign(1, 7, is_open=True)
    account.saw_foreign(2, 8, is_open=False)
    assert account.foreign_open == {1: {7}, 2: set()}
    account.saw_foreign(1, 7, is_open=False)
    assert account.foreign_open == {1: set(), 2: set()}
