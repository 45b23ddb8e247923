# Each target sets up what it needs in .venv; python3 with venv is all that a machine must have.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: compare test lint bench clean

compare: .venv/installed            ## baseline against GA on real pictures: table and plots
	$(BIN)/ga-ann compare --out results

test: .venv/installed-test          ## the whole test suite
	$(BIN)/python -m pytest -q -n auto --cov --cov-fail-under=95

lint: .venv/installed-lint          ## what the continuous integration checks besides the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/installed-bench        ## speed, against the machine's limit and other tools
	$(BIN)/python -m benchmarks --out results

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/installed-%: .venv/installed
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	touch $@

clean:
	rm -rf .venv results build dist
