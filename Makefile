# Every target works on a fresh machine that has Python 3.11 and make.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: simulate-seeds simulate-night run test lint types layers unit coverage recordings clients sandbox-smoke simulate bench docs alerts container-test dashboards dashboard-pictures clean
.DEFAULT_GOAL := run

$(VENV)/.installed: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "mmd needs Python 3.11: expected '$(PYTHON)' on PATH (set PYTHON=/path/to/python3.11)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing pinned dependencies into $(VENV) (first time only) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "installing development tools into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --group dev
	@touch $@

run: $(VENV)/.installed  ## start the embedded exchange and the daemon quoting on it
	@$(BIN)/mmd run --config deploy/config/embedded.toml $(ARGS)

test: lint types layers unit simulate-seeds  ## everything that CI runs

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

layers: $(VENV)/.installed-dev
	$(BIN)/lint-imports

unit: $(VENV)/.installed-dev
	$(BIN)/pytest -n 2 --dist worksteal $(ARGS)

# A kernel's branches are only seen where it runs as plain Python, a hundred times slower: there only its own tests run, and
# those that take more than a minute are cut short.
KERNELS := $(addprefix tests/unit/mmd/core/,quoting risk orders market flow learned inventory test_order_plan.py test_ordinary_decision.py test_market_view.py) \
	$(addprefix tests/unit/adapters/binance_spot/,test_frame_fields.py test_frame_scan.py test_number_scan.py test_plain_number.py \
	test_request_template.py test_exact_decode.py test_market_codec.py test_order_codec.py test_decimal_grid.py) tests/unit/reference

coverage: $(VENV)/.installed-dev  ## branches covered, kernels run as plain Python (an hour)
	-NUMBA_DISABLE_JIT=1 COVERAGE_FILE=.coverage.interpreted $(BIN)/pytest -n 2 $(KERNELS) --timeout 60 --cov --cov-report= $(ARGS)
	COVERAGE_FILE=.coverage.compiled $(BIN)/pytest -n 2 tests/unit tests/property --cov --cov-report= $(ARGS)
	$(BIN)/coverage combine .coverage.interpreted .coverage.compiled
	$(BIN)/coverage report

recordings: $(VENV)/.installed-dev  ## the daemon against every recording, whole (minutes)
	$(BIN)/pytest -m "slow or not slow" tests/e2e/test_recordings.py tests/unit/mmd/core/market -n 2 $(ARGS)

clients: $(VENV)/.installed-dev  ## third-party clients, each in its own venv, against the embedded exchange
	@tests/clients/venvs.sh var/clients $(PYTHON)
	$(BIN)/pytest tests/clients $(ARGS)

sandbox-smoke: $(VENV)/.installed-dev  ## sign, subscribe, place, amend, cancel, reconcile on Binance's testnet
	@$(BIN)/python -m tests.sandbox_smoke

simulate: $(VENV)/.installed  ## whole systems with faults on virtual time, ten simulated hours
	$(BIN)/mmd simulate --hours 10 $(ARGS)

simulate-seeds: $(VENV)/.installed  ## two hundred seeds of two minutes on two cores
	$(BIN)/mmd simulate --seeds 200 --minutes 2 --jobs 2 $(ARGS)

simulate-night: $(VENV)/.installed  ## a thousand simulated hours of calm markets on one core; goes on where it was interrupted
	nice -n 19 $(BIN)/mmd simulate --pace calm --first-seed 10000 --hours 1000 --results var/simulate-night.jsonl $(ARGS)

.PHONY: faults crash-table fuzz load soak
faults: $(VENV)/.installed-dev  ## every row of the fault matrix on real sockets (a quarter of an hour)
	@$(BIN)/python -m tests.faults $(ARGS)

crash-table: $(VENV)/.installed-dev  ## kill -9 at each named step, twenty seeds
	@$(BIN)/python -m tests.crash_table $(ARGS)

fuzz: $(VENV)/.installed-dev  ## a million wrong messages for every decoder; goes on where it was stopped
	@$(BIN)/python -m tests.fuzz $(ARGS)

load: $(VENV)/.installed-dev  ## fifty instruments on one core, and twice what it can do
	@$(BIN)/python -m tests.load $(ARGS)

soak: $(VENV)/.installed-dev  ## ten million messages at full speed; an hour in real time: make soak ARGS="--for 1h"
	@$(BIN)/python -m tests.soak $(ARGS)

bench: $(VENV)/.installed-dev  ## stages, and wire to wire beside a ccxt.pro maker
	$(BIN)/python -m tests.bench $(ARGS)

docs: $(VENV)/.installed-dev  ## write what is generated from the code
	$(BIN)/python -m mmd.ops.metrics_reference docs/metrics.md
	$(BIN)/python -m mmd.ops.openapi docs/openapi.json
	$(BIN)/python -m mmd.config_reference docs/configuration.md
	$(BIN)/python -m deploy.grafana.generate

container-test: $(VENV)/.installed-dev  ## build the image, run it, halt it, stop it; needs a container engine
	$(BIN)/python -m tests.container_test

alerts: $(VENV)/.installed-dev  ## raise the alerts with real faults, by a real Prometheus (minutes)
	$(BIN)/python -m tests.alerts $(ARGS)

dashboards: $(VENV)/.installed-dev  ## every expression of every dashboard against a real Prometheus (minutes)
	$(BIN)/python -m tests.monitoring.dashboards $(ARGS)

dashboard-pictures: $(VENV)/.installed-dev  ## the same, drawn by Grafana's components (npm, 650 MB; Chromium)
	$(BIN)/python -m tests.monitoring.dashboards --minutes 16 --pictures docs/images $(ARGS)

clean:
	rm -rf $(VENV) var build *.egg-info
