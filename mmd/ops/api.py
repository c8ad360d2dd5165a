"""What the HTTP server offers: every path with what it answers, from which routes and OpenAPI are made."""

from typing import Any, Literal, NamedTuple

import msgspec

from mmd.ops.history import History
from mmd.ops.state import FillState, OrderState, State

LIVE_PATH = "/api/live"


class Health(msgspec.Struct, frozen=True):
    """Whether the engine's event loop turns."""

    alive: bool
    engine_age_s: float
    """Age of its last picture; 3 s and more is not alive."""


class Readiness(msgspec.Struct, frozen=True):
    """Whether books are in sync and orders reconciled."""

    ready: bool
    waiting: dict[str, str]
    """By <venue>:<symbol>, why its book is not in sync."""


class Obeyed(msgspec.Struct, frozen=True):
    """The engine has taken the order."""

    ok: bool
    changed: list[str] = []
    """After a reload: settings that are in effect now, as `key: before → after`."""
    refused: list[str] = []
    """Those that differ and need a new start."""


class Refused(msgspec.Struct, frozen=True):
    """It has not, and nothing has changed."""

    ok: bool
    error: str


class NoEngine(msgspec.Struct, frozen=True):
    """There is no engine to show."""

    alive: bool
    ready: bool
    error: str


class Answer(NamedTuple):
    """One status of an endpoint: what it means, and its JSON type, or the content type of what is no JSON."""

    text: str
    content: object
    or_content: object = None
    """Another JSON type that it may have."""


class Endpoint(NamedTuple):
    """One path."""

    method: Literal["GET", "POST"]
    path: str
    text: str
    answers: dict[int, Answer]
    query: tuple[str, ...] = ()
    is_secured: bool = False


_NO_ENGINE = {503: Answer("There is no engine", NoEngine)}
ENDPOINTS = (
    Endpoint("GET", "/", "The live page", {200: Answer("The page", "text/html")}),
    Endpoint(
        "GET",
        "/healthz",
        "Whether the engine's event loop turns",
        {200: Answer("It does", Health), 503: Answer("It does not", Health, NoEngine)},
    ),
    Endpoint(
        "GET",
        "/readyz",
        "Whether books are in sync and orders reconciled",
        {200: Answer("They are", Readiness), 503: Answer("Not yet", Readiness, NoEngine)},
    ),
    Endpoint(
        "GET",
        "/metrics",
        "Prometheus metrics",
        {200: Answer("Text exposition format", "text/plain")} | _NO_ENGINE,
    ),
    Endpoint(
        "GET", "/api/state", "The whole daemon", {200: Answer("As it stands", State)} | _NO_ENGINE
    ),
    Endpoint(
        "GET",
        "/api/orders",
        "Orders that are or may be working, by <venue>:<symbol>",
        {200: Answer("As they stand", dict[str, list[OrderState]])} | _NO_ENGINE,
    ),
    Endpoint(
        "GET",
        "/api/fills",
        "The last 50 of our trades, by <venue>:<symbol>",
        {200: Answer("Oldest first", dict[str, list[FillState]])} | _NO_ENGINE,
    ),
    Endpoint(
        "GET",
        "/api/history",
        "The last half hour of one instrument, a point a second",
        {200: Answer("Columns", History), 404: Answer("There is no such instrument", Refused)},
        query=("instrument",),
    ),
    Endpoint(
        "GET",
        LIVE_PATH,
        "WebSocket of the live page: frames of what changed, four a second",
        {
            101: Answer("Frames follow", None),
            403: Answer("The page is another site's", Refused),
            503: Answer("Too many pages are open", Refused),
        },
    ),
    Endpoint(
        "GET",
        "/api/openapi.json",
        "This description",
        {200: Answer("OpenAPI 3.1", dict[str, Any])},
    ),
    Endpoint(
        "POST",
        "/api/control/{action}",
        "A person's order to the engine; it is journalled",
        {
            200: Answer("Taken", Obeyed),
            400: Answer("There is no such action, or the engine refuses it", Refused),
            403: Answer("Wrong or no token, or control is off", Refused),
        },
        is_secured=True,
    ),
)
