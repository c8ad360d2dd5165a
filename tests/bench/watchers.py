"""People and machines that look at a running daemon: a page polled four times a second, a scraper once a second.

Usage: python -m tests.bench.watchers ADDRESS
"""

import asyncio
import sys

import aiohttp

PAGE_PERIOD_S, SCRAPE_PERIOD_S = 0.25, 1.0


async def _poll(session: aiohttp.ClientSession, url: str, period_s: float) -> None:
    while True:
        try:
            async with session.get(url) as response:
                await response.read()
        except aiohttp.ClientError:  # not up yet
            pass
        await asyncio.sleep(period_s)


async def main(address: str) -> None:
    """Look on until killed."""
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        group.create_task(_poll(session, f"{address}/api/state", PAGE_PERIOD_S))
        group.create_task(_poll(session, f"{address}/metrics", SCRAPE_PERIOD_S))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
