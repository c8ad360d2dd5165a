"""Writes the pages of the documentation that are made from the code: `python -m mmd.cli.docs FOLDER`."""

import json
import sys
from importlib.metadata import version
from pathlib import Path

from mmd.ops.openapi import document


def generated() -> dict[str, str]:
    """Each file's name and text."""
    return {"openapi.json": json.dumps(document(version("mmd")), indent=1) + "\n"}


if __name__ == "__main__":
    for name, text in generated().items():
        (Path(sys.argv[1]) / name).write_text(text)
