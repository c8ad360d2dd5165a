"""The live page's files, read once and served from memory with headers that let nothing else in."""

from importlib.util import find_spec
from pathlib import Path

from aiohttp import web

PAGE = Path(__file__).parent / "page"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_CHARTS = ("uplot.iife.min.js", "uplot.min.css")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def add_page(app: web.Application) -> None:
    """Serve the page at / and its files below /page/."""
    files = [*PAGE.iterdir(), *(_charts() / name for name in _CHARTS)]
    for file in sorted(files):
        if file.suffix not in _TYPES:
            continue
        where = "/" if file.name == "index.html" else f"/page/{file.name}"
        app.router.add_get(where, _File(file.read_bytes(), _TYPES[file.suffix]).answer)


class _File:
    def __init__(self, body: bytes, content_type: str) -> None:
        self._body = body
        self._content_type = content_type

    async def answer(self, _: web.Request) -> web.Response:
        """The file."""
        return web.Response(
            body=self._body, content_type=self._content_type, charset="utf-8", headers=HEADERS
        )


def _charts() -> Path:
    """Where the package that ships uPlot has it; its Python is not imported."""
    found = find_spec("youplot")
    assert found is not None, "youplot is a dependency"
    assert found.submodule_search_locations is not None, "youplot is a package"
    return Path(found.submodule_search_locations[0]) / "vendor"
