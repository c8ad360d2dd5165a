"""What a result is a result of: a digest of the code that ran, so that results of different code are not added up."""

import functools
import hashlib
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_PACKAGES: Final = ("adapters", "mmd", "models")
_DIGITS: Final = 12


@functools.cache
def code_digest() -> str:
    """The first digits of the SHA-256 of every module of ours, by path and content; read once a process."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*.py")):
            name = path.relative_to(_ROOT).as_posix()
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:_DIGITS]
