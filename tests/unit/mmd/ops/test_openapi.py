"""The checked-in description is what the server says, and every path answers with what it says."""

import json
import re
from pathlib import Path

import aiohttp
import msgspec

from mmd.ops.api import ENDPOINTS
from mmd.ops.openapi import document
from tests.ops_state import cold, quoting
from tests.unit.mmd.ops.test_http import TOKEN, serving

FILE = Path(__file__).parents[4] / "docs/openapi.json"


def test_the_file_is_current() -> None:
    """`make docs` writes it."""
    told = json.loads(FILE.read_text())
    assert told == document(told["info"]["version"]), "run `make docs`"
    names = set(re.findall(r'"#/components/schemas/(\w+)"', FILE.read_text()))
    assert names <= told["components"]["schemas"].keys()


async def test_each_path_answers_with_what_it_says() -> None:
    """Statuses, content types and, by decoding strictly into the stated type, bodies."""
    async with serving(quoting(), TOKEN) as served, aiohttp.ClientSession() as http:
        await http.get(served.url + "/healthz")
        for endpoint in ENDPOINTS:
            if 101 in endpoint.answers:
                continue  # tests of the live feed
            path = endpoint.path.replace("{action}", "halt")
            query = dict.fromkeys(endpoint.query, "embedded:MMDUSDT")
            headers = {"Authorization": f"Bearer {TOKEN}"} if endpoint.is_secured else {}
            async with http.request(
                endpoint.method, served.url + path, params=query, headers=headers
            ) as answer:
                said = endpoint.answers[answer.status]
                body = await answer.read()
                assert answer.status == 200, (path, body)
                if isinstance(said.content, str):
                    assert answer.content_type == said.content, path
                else:
                    assert answer.content_type == "application/json"
                    msgspec.json.decode(body, type=said.content)


async def test_refusals_are_what_they_say() -> None:
    """403, 400, 404 and 503."""
    by_path = {e.path: e.answers for e in ENDPOINTS}
    async with serving(cold(), TOKEN) as served:
        for path, token, status in (("halt", "", 403), ("explode", TOKEN, 400)):
            got, body = await served.post(f"/api/control/{path}", token)
            assert got == status
            said = by_path["/api/control/{action}"][status].content
            assert not msgspec.json.decode(body, type=said).ok
        got, body = await served.get("/api/history?instrument=x")
        assert got == 404
        msgspec.json.decode(body, type=by_path["/api/history"][404].content)
        got, body = await served.get("/readyz")
        assert got == 503
