"""Draws every dashboard into a PNG with Grafana's own panel components: `python -m deploy.grafana.render.draw ADDRESS FOLDER`.

Needs npm (it fetches 650 MB once), and Chromium. What is drawn is the last minutes of the Prometheus at the address.
"""

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path

from deploy.grafana.generate import FOLDER

HERE = Path(__file__).parent
WORK = Path("var/grafana-render")
MINUTES = 15
WIDTH, ROW = 1424, 34
BYTES_MAX = 400_000
_ALIAS = "--alias:react-custom-scrollbars-2=./src/scrollbars.js"
_LOADERS = (
    "--loader:.svg=dataurl",
    "--loader:.ttf=empty",
    '--define:process.env.NODE_ENV="production"',
)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing about it."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


def build(work: Path) -> Path:
    """The page with its scripts, in a folder that can be served. Raises: SystemExit where a tool is missing."""
    work.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package.json").read_text()
    at = work / "package.json"
    if not (work / "node_modules").exists() or not at.exists() or at.read_text() != wanted:
        at.write_text(wanted)
        _run([_tool("npm"), "install", "--no-audit", "--no-fund"], work)
    shutil.copytree(HERE / "src", work / "src", dirs_exist_ok=True)
    out = work / "out"
    entry = ["src/main.tsx", "--bundle", "--minify", f"--outfile={out.name}/bundle.js"]
    _run(["node_modules/.bin/esbuild", *entry, *_LOADERS, _ALIAS, "--log-level=error"], work)
    shutil.copy(HERE / "page.html", out)
    shutil.copytree(FOLDER, out / "json", dirs_exist_ok=True)
    return out


def draw(page: str, prometheus: str, name: str, picture: Path) -> None:
    """One dashboard."""
    panels = json.loads((FOLDER / f"{name}.json").read_text())["panels"]
    height = ROW * max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in panels) + 24
    query = {"dashboard": name, "prometheus": prometheus, "minutes": str(MINUTES)}
    _run(
        [
            _tool("chromium"),
            *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            f"--window-size={WIDTH},{height}",
            "--virtual-time-budget=20000",
            f"--screenshot={picture.resolve()}",
            f"{page}/page.html?{urllib.parse.urlencode(query)}",
        ],
        picture.parent,
    )
    print(f"{picture}: {picture.stat().st_size} bytes")


def main(prometheus: str, folder: Path, work: Path = WORK) -> None:
    """Draw all of them. Raises: SystemExit where one is too large for the documentation; all are there by then."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = functools.partial(_Quiet, directory=os.fspath(build(work).resolve()))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = f"http://127.0.0.1:{server.server_port}"
    for path in sorted(FOLDER.glob("*.json")):
        draw(page, prometheus, path.stem, folder / f"grafana-{path.stem}.png")
    server.shutdown()
    sizes = {path: path.stat().st_size for path in sorted(folder.glob("grafana-*.png"))}
    large = [f"{path}: {size}" for path, size in sizes.items() if size > BYTES_MAX]
    if large:
        raise SystemExit(f"expected at most {BYTES_MAX} bytes, found {', '.join(large)}")


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not installed; on Debian: apt install {name}")
    return found


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(  # noqa: S603 - commands of this file
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed: {done.stderr[-800:]}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else WORK)
