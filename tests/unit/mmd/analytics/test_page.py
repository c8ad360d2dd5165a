"""Pages load nothing and show text as text."""

import re
from html.parser import HTMLParser

from mmd.analytics import page
from mmd.analytics.tables import Row, Section

NASTY = '</script><b>&"'


class Tags(HTMLParser):
    """Collects tags and visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    return tags


def test_nothing_is_loaded() -> None:
    """No element with an address, no import in the style; plotly stands in the page once."""
    html = page.page("t", [page.plots([True, False])], [{"data": [], "layout": {}}] * 2)
    tags = parsed(html).tags
    assert not [t for t, attrs in tags if {"src", "href", "srcset"} & set(attrs)]
    style = html[html.index("<style>") : html.index("</style>")]
    assert not re.search(r"@import|url\(", style)
    assert html.count("plotly.js v") == 1
    assert [t for t, _ in tags].count("script") == 2
    assert [attrs.get("class") for t, attrs in tags if t == "div"] == ["plots", "plot wide", "plot"]


def test_text_is_escaped_everywhere() -> None:
    """In headings, cells, folds, and in the figures' data, where it may not end the script."""
    parts = [
        page.heading(NASTY, [NASTY], [NASTY]),
        page.chapter(NASTY),
        page.metric_tables([Section(NASTY, [Row(NASTY, NASTY, NASTY, NASTY)])]),
        page.plain_table([NASTY], [[NASTY]]),
        page.folded(NASTY, NASTY),
    ]
    tags = parsed("".join(parts))
    assert "b" not in [t for t, _ in tags.tags]
    assert tags.text.count(NASTY) == 13
    html = page.page("t", [], [{"data": [{"name": NASTY}], "layout": {}}])
    assert html.count("</script>") == 2


def test_colours_follow_the_readers_system() -> None:
    """In the style and in the plots."""
    html = page.page("t", [], [])
    assert html.count("prefers-color-scheme: dark") >= 2
