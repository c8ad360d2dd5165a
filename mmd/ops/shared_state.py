"""The engine's State in shared memory: written by the engine, read by the ops process, waited for by neither.

A file on a memory file system, mapped by both: u32 length, u32 CRC32C, msgpack State. The writer never waits for
a reader; a reader that caught a write half done sees it by the checksum and looks again.
"""

import mmap
import os
import struct
import tempfile
import time
from pathlib import Path

import crc32c
import msgspec

from mmd.errors import MmdError
from mmd.ops.state import State

CAPACITY = 4 * 1024 * 1024
STALE_S = 3.0
"""A picture older than this says that the engine is not well."""
_HEAD = struct.Struct("<II")
_ATTEMPTS = 200
_PAUSE_S = 0.0005
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


def shared_folder() -> Path:
    """A fresh private folder, in memory where the system has a place for that."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder itself is private
    parent = memory if os.access(memory, os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix="mmd-", dir=parent))


class SharedStateWriter:
    """The engine's end."""

    def __init__(self, path: Path) -> None:
        """Create the file; nothing can be read before the first `publish`."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(fd, CAPACITY)
            self._map = mmap.mmap(fd, CAPACITY)
        finally:
            os.close(fd)

    def publish(self, state: State) -> None:
        """Make a state the one that readers see; one too large for the file is not shown."""
        body = _encoder.encode(state)
        if _HEAD.size + len(body) <= CAPACITY:
            self._map[_HEAD.size : _HEAD.size + len(body)] = body
            _HEAD.pack_into(self._map, 0, len(body), crc32c.crc32c(body))

    def close(self) -> None:
        """Unmap."""
        self._map.close()


class SharedStateReader:
    """The ops process's end."""

    def __init__(self, path: Path) -> None:
        """Map the engine's file. Raises: MmdError if it is not there, as while kernels are compiled."""
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), CAPACITY, access=mmap.ACCESS_READ)
        except FileNotFoundError as error:
            if not path.parent.is_dir():
                raise MmdError(
                    f"the daemon that shared {path.parent} has ended: start mmd run"
                ) from error
            raise MmdError(
                "the engine is starting; the first start of a version compiles its kernels, which takes minutes"
            ) from error
        except (OSError, ValueError) as error:
            raise MmdError(f"the engine's state at {path} cannot be read ({error})") from error

    def read(self) -> State:
        """The newest whole state. Raises: MmdError where there is none yet, or none can be caught whole."""
        for _ in range(_ATTEMPTS):
            length, checksum = _HEAD.unpack_from(self._map, 0)
            body = self._map[_HEAD.size : _HEAD.size + length]
            if length > 0 and crc32c.crc32c(body) == checksum:
                return _decoder.decode(body)
            time.sleep(_PAUSE_S)
        raise MmdError("the engine has not published its state yet")

    def close(self) -> None:
        """Unmap."""
        self._map.close()
