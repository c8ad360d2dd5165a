"""Asks a real Prometheus every expression of every dashboard: `python -m deploy.grafana.check http://127.0.0.1:9090`.

Ends with 1 where one fails or has no data. Expressions of things that did not happen (no hedge, no halt) have none by
nature; which these may be is for whoever starts the run to say.
"""

import json
import re
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any, NamedTuple

from deploy.grafana.generate import FOLDER

TIMEOUT_S = 10.0
_VARIABLES = {"$__rate_interval": "1m", "$__interval": "15s", "$__range": "30m"}


class Answer(NamedTuple):
    """What Prometheus said to one expression."""

    dashboard: str
    panel: str
    expression: str
    series: int
    error: str


def expressions() -> Iterator[tuple[str, str, str]]:
    """(dashboard, panel, expression) of every panel."""
    for path in sorted(FOLDER.glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                yield path.stem, panel["title"], target["expr"]


def ask_all(address: str) -> list[Answer]:
    """Every expression, with all venues and instruments chosen."""
    return [_ask(address, *where) for where in expressions()]


def _ask(address: str, dashboard: str, panel: str, expression: str) -> Answer:
    query = re.sub(r"\$(venue|instrument)\b", ".*", expression)
    for name, value in _VARIABLES.items():
        query = query.replace(name, value)
    url = f"{address}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own
            body: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        return Answer(dashboard, panel, expression, 0, json.load(error).get("error", str(error)))
    return Answer(dashboard, panel, expression, len(body["data"]["result"]), "")


def main(address: str) -> int:
    """Print what is missing; 0 where nothing is."""
    answers = ask_all(address)
    missing = [a for a in answers if a.error or a.series == 0]
    for answer in missing:
        print(
            f"{answer.dashboard} / {answer.panel}: {answer.error or 'no data'}: {answer.expression}"
        )
    print(f"{len(answers) - len(missing)} of {len(answers)} expressions have data")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
