# Every target sets up what it needs; `make` alone prints the list.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev setup-bench demo test chaos bench bench-check bench-detect bench-lineage lint format docs shots pins clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= auto
PACKAGES := schemas streams detectors lineage workers supervisor reference

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

$(VENV)/run.stamp: requirements/run.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "penstock needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/bench.stamp: $(VENV)/dev.stamp requirements/bench.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	@touch $@

setup: $(VENV)/run.stamp ## a virtual environment with the pinned dependencies
setup-dev: $(VENV)/dev.stamp ## the same with the tools for tests and linting
setup-bench: $(VENV)/bench.stamp ## the same with the rivals that the benchmarks measure

demo: setup ## replay real data through the whole pipeline and print what was found
	$(BIN)/penstock demo

test: setup-dev ## every test, with coverage (JOBS=0: one after the other)
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term --cov-fail-under=90

chaos: setup-dev ## make every fault, many times (up to half an hour), and write what came of it
	$(BIN)/python -m bench.chaos --out bench/results/chaos.json; code=$$?; \
	$(BIN)/python -m bench.chaos.report; exit $$code

bench: setup-bench ## measure every loop, its rivals and the whole topology, and write it down
	$(BIN)/python -m bench.pipeline --out bench/results/pipeline.json
	$(BIN)/python -m bench.pipeline.report > docs/performance-figures.md

bench-check: setup-bench ## fail when a ratio is worse than the one that is kept
	$(BIN)/python -m bench.pipeline --quick --against bench/results/pipeline.json

bench-detect: setup-dev ## measure every detector beside River's and the naive ones (needs the benchmark's data)
	$(BIN)/python -m bench.detection --out bench/results/detection.json; code=$$?; \
	$(BIN)/python -m bench.detection.pages; exit $$code

bench-lineage: setup-dev ## measure both lineage stores, and write it down
	$(BIN)/python -m bench.lineage --out bench/results/lineage.json; code=$$?; \
	$(BIN)/python -m bench.lineage.report > docs/lineage-figures.md; exit $$code

lint: setup-dev ## ruff and mypy strict
	$(BIN)/ruff check $(PACKAGES) tests bench
	$(BIN)/ruff format --check $(PACKAGES) tests bench
	$(BIN)/mypy
	$(BIN)/mypy bench

format: setup-dev ## let ruff format and mend
	$(BIN)/ruff format $(PACKAGES) tests bench
	$(BIN)/ruff check --fix $(PACKAGES) tests bench

docs: setup ## write the generated pages of docs/ anew
	$(BIN)/python -m schemas.reference_page > docs/schemas.md
	$(BIN)/python -m schemas.topology_page > docs/topology.md
	$(BIN)/python -m supervisor.cli_page > docs/cli.md
	$(BIN)/python -m bench.chaos.report
	$(BIN)/python -m bench.pipeline.report > docs/performance-figures.md
	$(BIN)/python -m bench.lineage.report > docs/lineage-figures.md
	$(BIN)/python -m bench.detection.pages
	$(BIN)/python -m bench.detection.pictures

shots: setup-dev ## take the console's pictures anew (needs chromium)
	$(BIN)/python -m bench.console_shots

pins: ## resolve the pinned requirements anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --extra build pyproject.toml -o requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --extra build --extra dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --extra build --extra dev --extra bench -c requirements/dev.txt pyproject.toml -o requirements/bench.txt

clean: ## remove the virtual environment and the local data
	rm -rf $(VENV) .penstock
