"""Aggregate trades: what one aggressor did at one price at one time, under one id."""

from itertools import groupby

from mmd.exchange.executions import AggregateTrade, PublicTrade


def aggregate(trades: list[PublicTrade], first_id: int) -> list[AggregateTrade]:
    """Join neighbouring trades of one price and aggressor among trades that happened together.

    Source: Binance spot API, rest-api.md, "Compressed/Aggregate trades list".
    """
    groups = [
        list(group) for _, group in groupby(trades, key=lambda t: (t.price_ticks, t.aggressor))
    ]
    return [
        AggregateTrade(
            instrument=group[0].instrument,
            aggregate_id=first_id + number,
            first_id=group[0].trade_id,
            last_id=group[-1].trade_id,
            price_ticks=group[0].price_ticks,
            qty_lots=sum(t.qty_lots for t in group),
            aggressor=group[0].aggressor,
            ts_ns=group[0].ts_ns,
        )
        for number, group in enumerate(groups)
    ]
