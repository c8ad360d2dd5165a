"""The live page in a real Chromium on a real daemon: it says what /api/state says, it halts, it fits, it is accessible."""

import json
import shutil
import time
from collections.abc import Iterator
from typing import Any, Self

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.test_processes import TOKEN, Family, wait_for

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
SECONDS = 600
_READ = """() => {
  const text = (selector) => document.querySelector(selector)?.textContent;
  const fact = (name) => [...document.querySelectorAll('#quoting dt')].find((d) => d.textContent === name).nextSibling.textContent;
  const levels = (side) => [...document.querySelectorAll(`#ladder [data-side=${side}] tr`)].map((row) => [...row.cells].map((c) => c.textContent));
  return {
    taken: document.documentElement.dataset.taken,
    position: text('[data-value=position]'), pnl: text('[data-value=pnl_total]'), day: text('#money .big span'),
    sent: fact('Orders sent, rejected'), fills: fact('Fills, as maker'), half: fact('Half spread, skew'),
    bids: levels('bids'), asks: levels('asks'), health: text('#health .big'), title: document.title,
  };
}"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    """One for all tests here."""
    family = Family(tmp_path_factory.mktemp("page"), SECONDS)
    try:
        wait_for(lambda: family.process.poll() is not None or family.get("/readyz")["ready"], 200)
        assert family.process.poll() is None, (family.folder / "log").read_text()
        wait_for(lambda: family.get("/api/state")["instruments"][0]["fills"] > 0, 60)
        yield family
    finally:
        if family.process.poll() is None:
            family.process.terminate()
            family.process.wait(30)
        family.log.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Without a window; root has no sandbox."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


class Open:
    """A page that was opened as a user would, and everything that went wrong on it."""

    def __init__(
        self, browser: Browser, address: str, width: int = 1280, scheme: Any = "light"
    ) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        self.page: Page = self.context.new_page()
        self.wrong: list[str] = []
        self.requested: list[str] = []
        self.page.on(
            "console", lambda m: m.type in ("error", "warning") and self.wrong.append(m.text)
        )
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("requestfailed", lambda request: self.wrong.append(request.url))
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.set_default_timeout(30_000)
        self.page.goto(address + "/")
        expect(self.page.locator("#link")).to_have_text("live", timeout=30_000)
        expect(self.page.locator("#quoting dt").first).to_be_visible(timeout=30_000)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


def number(text: str) -> float:
    """What a person reads as a number."""
    return float(text.split(maxsplit=1)[0].strip(",").replace("\u2212", "-").replace(",", ""))


def test_values_on_the_page_are_those_of_the_api(daemon: Family, browser: Browser) -> None:
    """Compared picture by picture: both state when theirs was taken."""
    states: dict[str, Any] = {}
    matched = 0
    with Open(browser, daemon.address()) as opened:
        deadline = time.monotonic() + 60
        while matched < 3 and time.monotonic() < deadline:
            for _ in range(8):
                state = daemon.get("/api/state")
                states[str(state["taken_unix_s"])] = state
                time.sleep(0.03)
            shown = opened.page.evaluate(_READ)
            state = states.get(shown["taken"])
            if state is not None:
                matched += 1
                compare(shown, state)
    assert matched == 3


def compare(shown: dict[str, Any], state: dict[str, Any]) -> None:
    """Texts against one /api/state."""
    row = state["instruments"][0]
    assert number(shown["position"]) == float(row["position"])
    assert shown["position"].endswith(" MMD")
    assert number(shown["pnl"]) == pytest.approx(row["pnl_total"], abs=5.1e-5)
    assert number(shown["day"]) == pytest.approx(state["risk"]["day_pnl"], abs=5.1e-3)
    assert number(shown["sent"]) == row["orders_sent"]
    assert number(shown["fills"]) == row["fills"]
    assert number(shown["half"]) == pytest.approx(row["half_spread_bps"], abs=5.1e-3)
    for side, order, levels in (
        ("bids", "BUY", shown["bids"]),
        ("asks", "SELL", shown["asks"][::-1]),
    ):
        assert [tuple(level[:2]) for level in levels] == [tuple(v) for v in row["book"][side][:10]]
        ours = {level[0]: number(level[2]) for level in levels if level[2]}
        prices = {price for price, _, *_ in levels}
        working = {
            o["price"]: float(o["qty"]) - float(o["filled"])
            for o in row["orders"]
            if o["side"] == order and o["price"] in prices
        }
        assert ours == pytest.approx(working)


def test_the_token_is_asked_for_and_halt_halts(daemon: Family, browser: Browser) -> None:
    """A wrong one is said to be wrong and orders nothing; the right one is kept in this tab only."""
    with Open(browser, daemon.address()) as opened:
        page, dialog = opened.page, opened.page.locator("#confirm")
        page.get_by_role("button", name="Halt").focus()
        page.keyboard.press("Enter")
        page.get_by_label("Token").fill("wrong")
        dialog.get_by_role("button", name="Halt").click()
        expect(page.locator("#confirm-error")).to_have_text("Wrong token: nothing was ordered.")
        assert daemon.get("/api/state")["risk_level"] == "NORMAL"
        page.get_by_label("Token").fill(TOKEN)
        page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        expect(page.locator("#health .big")).to_have_text("Halted", timeout=15_000)
        wait_for(lambda: daemon.get("/api/state")["risk_level"] == "HALTED", 15)
        expect(page.locator("#events [data-kind=level]").first).to_contain_text("HALTED")
        assert daemon.get("/api/state")["instruments"][0]["orders"] == []
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_label("Token")).to_be_hidden()
        dialog.get_by_role("button", name="Resume").click()
        expect(page.locator("#health .big")).to_have_text("Healthy", timeout=15_000)
        assert page.evaluate("[localStorage.length, document.cookie, sessionStorage.length]") == [
            0,
            "",
            1,
        ]
        assert opened.wrong == [w for w in opened.wrong if "403" in w], opened.wrong


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_is_accessible_and_asks_nobody_else(
    daemon: Family, browser: Browser, width: int, scheme: str
) -> None:
    """No sideways scrolling, no errors, nothing requested elsewhere, and axe finds nothing serious."""
    address = daemon.address()
    with Open(browser, address, width, scheme) as opened:
        page = opened.page
        expect(page.locator("#price-chart canvas")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        lightness = sum(map(int, ground.removeprefix("rgb(").removesuffix(")").split(",")))
        assert (lightness > 3 * 128) == (scheme == "light")
        found = Axe().run(page).response["violations"]
        assert [(v["id"], [n["html"][:90] for n in v["nodes"]]) for v in found] == []
        assert opened.wrong == []
        hosts = {"/".join(url.split("/")[:3]) for url in opened.requested}
        assert hosts <= {address, address.replace("http", "ws", 1)}


def test_the_last_of_the_log_is_shown_to_who_comes_late(daemon: Family, browser: Browser) -> None:
    """Events and history were kept before the page was opened."""
    with Open(browser, daemon.address()) as opened:
        assert opened.page.locator("#events li").count() > 3
        points = json.loads(
            opened.page.evaluate(
                "fetch('/api/history?instrument=embedded:MMDUSDT').then((a) => a.text())"
            )
        )
        assert len(points["columns"]["mid"]) > 5
