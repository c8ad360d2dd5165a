"""Dashboards on a daemon with everything on, watched by a real Prometheus.

`make dashboards` asks every expression of every dashboard for data; `make dashboard-pictures` draws them as well.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from deploy.grafana.check import main as check
from deploy.grafana.render.draw import main as draw
from mmd.errors import MmdError
from models.registry import Registry
from models.serving import SHIPPED
from tests.monitoring.prometheus import all_rules, watching
from tests.monitoring.stack import ROOT, Process
from tests.trained_models import forest_artefact

INTERVAL_S = 2
HALF_SPREAD_BPS = 3.0
"""What the trees say, or twice that: those that are shipped have no weight, and no say."""


def main(minutes: float, pictures: Path | None) -> int:
    """Run daemon and Prometheus for a while, then ask, and draw where pictures are wanted."""
    with tempfile.TemporaryDirectory(prefix="mmd-dashboards-") as name:
        folder = Path(name)
        models = Registry(folder / "var/models", SHIPPED)
        models.promote(forest_artefact(models.folder, HALF_SPREAD_BPS).path.name)
        settings = ("http.port=0", "embedded.port=0", "log.format=json")
        words = [word for pair in settings for word in ("--set", pair)]
        config = ROOT / "deploy/config/everything.toml"
        daemon = Process(folder, "daemon", "run", "--config", config, *words)
        try:
            page = daemon.found(r'"dashboard": "(http://[^"]+)"')
            target = page.removeprefix("http://")
            with watching(folder / "p", [target], all_rules(), INTERVAL_S) as prometheus:
                print(f"{page} and {prometheus.address}, for {minutes:g} minutes", flush=True)
                time.sleep(minutes * 60)
                if pictures is not None:
                    draw(prometheus.address, pictures)
                return check(prometheus.address)
        finally:
            daemon.end()


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument(
        "--minutes", type=float, default=11.0, help="how long to run; the longest markout takes ten"
    )
    words.add_argument("--pictures", type=Path, help="folder to draw the dashboards into")
    given = words.parse_args()
    try:
        sys.exit(main(given.minutes, given.pictures))
    except MmdError as error:
        sys.exit(f"make dashboards: {error}")
