"""Results of many seeds in a file, one line each: a long run that was interrupted goes on where it was.

A file is of one kind of run alone: rows of other code, another pace or other settings are not added up.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from mmd.errors import ConfigError
from mmd.simulation.simulate import Conditions, SimulateResult


class ResultsFile:
    """One file; lines are JSON."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[SimulateResult]:
        """Every whole line, be the file in use or not. Raises: ConfigError if it is another file."""
        if not self._path.exists():
            return []
        lines = self._path.read_bytes().splitlines(keepends=True)
        try:
            return [
                msgspec.json.decode(line, type=SimulateResult)
                for line in lines
                if line.endswith(b"\n")
            ]
        except msgspec.DecodeError as error:
            raise ConfigError(
                f"--results {self._path}: expected results of mmd simulate, one a line: {error}; name another file"
            ) from error

    @contextmanager
    def resume(self, conditions: Conditions) -> "Iterator[list[SimulateResult]]":
        """Read what there is and keep the file for one run; a last line that was not finished is cut off.

        Raises:
            ConfigError: It is another file, has rows of other conditions, or another run writes to it.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as held:
            self._lock(held)
            before = self.read()
            for row in before:
                if row.conditions != conditions:
                    raise ConfigError(
                        f"--results {self._path}: expected rows of {conditions.describe()}, found seed {row.seed} "
                        f"of {row.conditions.describe()}; name another file"
                    )
            data = self._path.read_bytes()
            held.truncate(data.rfind(b"\n") + 1)
            yield before

    def append(self, result: SimulateResult) -> None:
        """Add a line and hand it to the system."""
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(result) + b"\n")

    def _lock(self, held: BinaryIO) -> None:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(
                f"--results {self._path}: expected a file of its own, found another run that writes to it: {error}"
            ) from error
