# Everything a person types. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help setup demo run test check bench faults wheel lock i18n clean

PYTHON ?= python3
BIN := .venv/bin
LOCK := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --allow-unsafe --generate-hashes \
	--strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

help: ## this list
	@echo "Handfast: what you can type"
	@echo
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "Start with \"make demo\". Nothing needs to be installed first but git, make and Python 3.11."

demo: ## the main job in a real browser, then left open for you (ONCE=1 ends instead)
	@$(PYTHON) scripts/setup.py demo
	@$(BIN)/python -m demo

run: ## portal, exchange and demo mail server alone, without driving a browser
	@$(PYTHON) scripts/setup.py run
	@$(BIN)/python -m demo --serve

test: ## every check there is: linters, types, layers, tests
	@$(PYTHON) scripts/setup.py test
	@$(BIN)/python scripts/run_checks.py all

check: ## linters, types and layers only (seconds)
	@$(PYTHON) scripts/setup.py check
	@$(BIN)/python scripts/run_checks.py lint

bench: ## how fast, against what, and whether that meets the goal
	@$(PYTHON) scripts/setup.py demo
	@$(BIN)/python -m bench

faults: ## every named crash point, on both sides, killed and resumed
	@$(PYTHON) scripts/setup.py test
	@$(BIN)/python -m pytest tests/faults tests/e2e/bridge/test_lifetime.py --durations=10

setup: ## what all the others do first by themselves
	@$(PYTHON) scripts/setup.py all

wheel: ## the device alone as a package, in dist/ (the portal's page /client offers it)
	@$(PYTHON) scripts/setup.py check
	@$(BIN)/python scripts/build_wheel.py

lock: ## pin the dependencies again, from requirements/*.in
	@$(PYTHON) scripts/setup.py check
	@$(LOCK) --output-file=requirements-dev.txt requirements/dev.in
	@$(LOCK) --constraint=requirements-dev.txt --output-file=requirements.txt requirements/server.in
	@$(LOCK) --constraint=requirements-dev.txt --output-file=requirements-device.txt requirements/device.in

i18n: ## compile the message catalogues
	@$(PYTHON) scripts/setup.py check
	@$(BIN)/python scripts/compile_catalogues.py

clean: ## remove what the others made: virtual environment, demo state, caches
	@rm -rf .venv var dist build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
