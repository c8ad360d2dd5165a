"""Results of many seeds in a file, one line each: a long run that was interrupted goes on where it was."""

from pathlib import Path

import msgspec

from mmd.errors import ConfigError
from mmd.simulation.simulate import SimulateResult


class ResultsFile:
    """One file; lines are JSON."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[SimulateResult]:
        """What is there; a last line that was not finished is cut off. Raises: ConfigError if it is another file."""
        if not self._path.exists():
            return []
        lines = self._path.read_bytes().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith(b"\n")]
        if len(whole) < len(lines):
            self._path.write_bytes(b"".join(whole))
        try:
            return [msgspec.json.decode(line, type=SimulateResult) for line in whole]
        except msgspec.DecodeError as error:
            raise ConfigError(
                f"--results {self._path}: expected results of mmd simulate, one a line: {error}; name another file"
            ) from error

    def append(self, result: SimulateResult) -> None:
        """Add a line and have it on the disk."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(result) + b"\n")
