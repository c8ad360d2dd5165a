"""What a model was trained on, as its manifest says it."""

import hashlib
from pathlib import Path
from typing import Final

from mmd.tape.reader import open_tape
from models.artefact import DataUse

_READ_BYTES: Final = 1 << 20


def data_uses(tapes: list[Path]) -> tuple[DataUse, ...]:
    """Names, times and SHA-256 of tapes; a folder's hash is that of its files' bytes in order. Raises: TapeError."""
    uses = []
    for path in tapes:
        opened = open_tape(path)
        digest = hashlib.sha256()
        for name in opened.files:
            with name.open("rb") as file:
                while chunk := file.read(_READ_BYTES):
                    digest.update(chunk)
        counts = opened.header.counts
        uses.append(
            DataUse(
                name=path.name,
                sha256=digest.hexdigest(),
                first_ns=counts.first_ns,
                last_ns=counts.last_ns,
            )
        )
    return tuple(uses)
