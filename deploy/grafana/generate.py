"""Writes the dashboards' JSON from the code: `python -m deploy.grafana.generate`."""

from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.dashboards.adverse import adverse
from deploy.grafana.dashboards.models import models
from deploy.grafana.dashboards.overview import overview
from deploy.grafana.dashboards.quoting import quoting
from deploy.grafana.dashboards.risk import risk
from deploy.grafana.dashboards.system import system
from deploy.grafana.dashboards.venues import venues
from deploy.grafana.page import Page

FOLDER = Path(__file__).parent / "json"
PAGES = (overview, quoting, adverse, models, risk, venues, system)


def pages() -> list[Page]:
    """Every dashboard, in the order in which one looks at them."""
    return [make() for make in PAGES]


def encoded(page: Page) -> str:
    """A dashboard as Grafana reads it."""
    return JSONEncoder(sort_keys=True, indent=1).encode(page.build()) + "\n"


def main() -> None:
    """Write them all."""
    FOLDER.mkdir(exist_ok=True)
    for page in pages():
        (FOLDER / f"{page.uid}.json").write_text(encoded(page))


if __name__ == "__main__":
    main()
