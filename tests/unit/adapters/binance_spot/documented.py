"""The messages in the official documents' examples: binance-spot-api-docs at a5e0bc3 (July 2026).

`documents/messages.jsonl` holds them with their comments stripped.
"""

from pathlib import Path
from typing import NamedTuple

import msgspec


class Message(NamedTuple):
    """One example."""

    document: str
    section: str
    number: int
    body: bytes

    @property
    def key(self) -> tuple[str, int]:
        return self.section, self.number


def _messages() -> list[Message]:
    file = Path(__file__).parent / "documents" / "messages.jsonl"
    rows = [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]
    return [
        Message(r["document"], r["section"], r["number"], msgspec.json.encode(r["message"]))
        for r in rows
    ]


MESSAGES = _messages()


def of(document: str, *sections: str) -> list[Message]:
    return [
        m for m in MESSAGES if m.document == document and (not sections or m.section in sections)
    ]


def the(document: str, section: str, number: int = 1) -> bytes:
    (found,) = (m for m in of(document, section) if m.number == number)
    return found.body


def name(message: Message) -> str:
    return f"{message.section} {message.number}"
