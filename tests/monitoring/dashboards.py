"""`make dashboards`: every expression of every dashboard has data where everything is on, by a real Prometheus."""

import sys
import tempfile
import time
from pathlib import Path

from deploy.grafana.check import main as check
from mmd.errors import MmdError
from tests.monitoring.prometheus import all_rules, watching
from tests.monitoring.stack import ROOT, Process

MINUTES = 8.0
INTERVAL_S = 2


def main(minutes: float) -> int:
    """Run daemon and Prometheus for a while, then ask."""
    with tempfile.TemporaryDirectory(prefix="mmd-dashboards-") as name:
        folder = Path(name)
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
                return check(prometheus.address)
        finally:
            daemon.end()


if __name__ == "__main__":
    try:
        sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES))
    except MmdError as error:
        sys.exit(f"make dashboards: {error}")
