# What a fresh clone needs: Python 3.11 or newer, with venv and pip. Everything else comes by itself.
#
#   make demo          install into .venv, then run the whole loop on this machine
#   make install       install into .venv
#   make test          run every test
#   make lint          ruff and mypy --strict
#   make bench         measure, and print tables
#   make soak-change   what of the soaks is run for every change: minutes
#   make soak          break recorders by the thousand, for hours (tests/soak/RESULTS.md)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed.stamp
READY_TO_DEVELOP := $(VENV)/development.stamp
PYTEST_OPTIONS ?= -n 3 --dist worksteal
BENCH_SECONDS ?= 60
CODE := venues recorder replay book cli tests examples tickreel_pytest.py

.PHONY: demo install test lint bench soak soak-change soak-inputs soak-frames clean
.DELETE_ON_ERROR:

demo: $(INSTALLED)
	$(BIN)/tickreel demo

install: $(INSTALLED)

# Hundreds of commands run in the tests: what they import is compiled once.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(READY_TO_DEVELOP)
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)

lint: $(READY_TO_DEVELOP)
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy --strict

bench: $(READY_TO_DEVELOP)
	$(BIN)/python -m tests.benchmarks.replay_speed
	$(BIN)/python -m tests.benchmarks.decode_speed
	$(BIN)/python -m tests.benchmarks.shrink_time
	$(BIN)/python -m tests.benchmarks.seek_time
	$(BIN)/python -m tests.benchmarks.serve_throughput
	$(BIN)/python -m tests.benchmarks.capture_throughput --rate 50000 --seconds $(BENCH_SECONDS) --engine

soak-change: soak-inputs soak-frames

soak-inputs: $(READY_TO_DEVELOP)
	$(BIN)/python -m tests.soak.damaged_inputs --each 100000

soak-frames: $(READY_TO_DEVELOP)
	$(BIN)/python -m tests.soak.compressed_time --frames 5000000

soak: $(READY_TO_DEVELOP)
	$(BIN)/python -m tests.soak.crash_states --states 100000
	$(BIN)/python -m tests.soak.disk_kills --random 200 --each-step 50
	$(BIN)/python -m tests.soak.disk_damage --flips 10000 --cut-bytes 1000000
	$(BIN)/python -m tests.soak.disk_faults --fills 50 --stalls 20 --stops 100
	$(BIN)/python -m tests.soak.upload_kills
	$(BIN)/python -m tests.soak.upload_kills --remove-local
	$(BIN)/python -m tests.soak.damaged_inputs --each 1000000 --messages 1000000
# Where Atheris has no wheel, the soak goes on without it, and make says so.
	-$(BIN)/python -m pip install --quiet atheris && $(BIN)/python -m tests.soak.guided_fuzz --seconds 600
	$(BIN)/python -m tests.soak.replay_seeds --seeds 1000
	$(BIN)/python -m tests.soak.reconnect_storms --seeds 1000
	$(BIN)/python -m tests.soak.clock_steps --steps 200
	$(BIN)/python -m tests.soak.cut_links --cuts 20
	$(BIN)/python -m tests.soak.compressed_time --frames 43200000
	$(BIN)/python -m tests.soak.real_sockets --connections 64 --rate 50000 --seconds 600 --cuts 20
	$(BIN)/python -m tests.soak.real_sockets --rate 5000 --seconds 7200 --cuts 100

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tickreel needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(READY_TO_DEVELOP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(INSTALLED)
