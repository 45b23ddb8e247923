# Each target sets up what it needs in .venv; python3 with venv is all that a machine must have.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/uv pip install --quiet --python .venv \
    --constraint constraints.txt --build-constraint constraints.txt
PYTEST := -m pytest -q -n auto --dist worksteal
# One thread: two wait for each other wherever another process takes a core.
SPHINX := OPENBLAS_NUM_THREADS=1 $(BIN)/python -m sphinx --quiet
SITE := docs/_build docs/auto_* docs/generated
PYTHONS := 3.11 3.12 3.13
MATRIX := 3.11-lowest $(PYTHONS:%=%-locked) $(PYTHONS:%=%-newest)
# Hundreds of Pythons are started by the tests; each would compile everything that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: compare test test-cluster test-browser test-matrix $(MATRIX:%=test-%) lint docs linkcheck lock audit bench \
    clean dist release-check $(PYTHONS:%=release-check-%)

compare: .venv/installed            ## baseline against GA on real pictures: table and plots
	$(BIN)/ga-ann compare --out results

test: .venv/installed-test          ## the whole test suite
	$(BIN)/python $(PYTEST) --cov --cov-fail-under=95

test-cluster: .venv/installed-test  ## workers killed at 20 random generations: the same bits
	GA_ANN_KILLS=10 $(BIN)/python -m pytest -q tests/evolution/test_cluster.py -k killed

test-browser: .venv/installed-test .venv/installed-browser  ## reports in the system's Chromium
	$(BIN)/python -m pytest -q tests/report/test_browser.py

test-matrix: $(MATRIX:%=test-%)     ## the suite with all Pythons, lowest to newest versions

lint: .venv/installed-lint          ## what the continuous integration checks besides the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/installed-docs          ## the site, into docs/_build/html; examples and tutorial are run
	rm -rf $(SITE)
	$(SPHINX) --fail-on-warning --keep-going docs docs/_build/html

linkcheck: .venv/installed-docs     ## the site's links to other sites
	$(SPHINX) --builder linkcheck --define plot_gallery=0 docs docs/_build/linkcheck

lock: .venv/tools                   ## the newest versions into constraints.txt, for all systems
	$(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 --no-annotate \
	    --extra test --extra lint --extra docs --extra browser --group tools --custom-compile-command 'make lock' \
	    --output-file constraints.txt pyproject.toml

audit: .venv/tools                  ## known vulnerabilities of the versions in constraints.txt
	$(BIN)/pip-audit --strict --disable-pip --no-deps --requirement constraints.txt

bench: .venv/installed-bench        ## speed, against the machine's limit and other tools
	$(BIN)/python -m benchmarks --out results

dist: .venv/tools                   ## what would be uploaded, checked, in dist
	rm -rf dist
	$(BIN)/uv build --quiet --build-constraint constraints.txt
	$(BIN)/twine check --strict dist/*

release-check: $(PYTHONS:%=release-check-%)  ## the wheel where there is nothing else

# uv comes first: it installs in a tenth of the time.
.venv/uv: constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
	touch $@

.venv/installed: .venv/uv pyproject.toml
	$(INSTALL) --editable .
	touch $@

.venv/installed-%: .venv/installed
	$(INSTALL) --editable '.[$*]'
	touch $@

.venv/tools: .venv/uv pyproject.toml
	$(INSTALL) --group tools
	touch $@

# test-3.11-lowest and so on: the suite in an environment made anew, if there is such a Python.
lowest := --resolution lowest-direct
locked := --constraint constraints.txt
newest := --upgrade
python = $(firstword $(subst -, ,$*))
versions = $($(lastword $(subst -, ,$*)))
# pyenv's Pythons count, whichever is its active one.
export PATH := $(PATH):$(subst $() ,:,$(wildcard $(HOME)/.pyenv/versions/3.*/bin))

# Of what is slow, versions change nothing: the locked ones are enough for it.
some = $(if $(filter locked,$(lastword $(subst -, ,$*))),,-m 'not slow' --hypothesis-profile fewer)
define unless_there_is_such_a_python_skip
@if ! $(BIN)/uv python find --quiet --system $(python) >/dev/null 2>&1; then \
    echo "SKIPPED $@: no Python $(python) here; '$(BIN)/uv python install $(python)' brings one"; \
    exit 0; \
fi; \
set -ex
endef

$(MATRIX:%=test-%): test-%: .venv/tools
	$(unless_there_is_such_a_python_skip); \
	$(BIN)/uv venv --quiet --clear --python $(python) .venv/$*; \
	$(BIN)/uv pip install --quiet --python .venv/$* $(versions) --editable '.[test]'; \
	.venv/$*/bin/python $(PYTEST) $(some)

# release-check-3.11 and so on: a program of somebody else's, away from this checkout.
wheel = .venv/wheel-$*
$(PYTHONS:%=release-check-%): release-check-%: dist .venv/installed-lint
	$(unless_there_is_such_a_python_skip); \
	$(BIN)/uv venv --quiet --clear --python $(python) $(wheel); \
	$(BIN)/uv pip install --quiet --python $(wheel) dist/*.whl; \
	cp tests/wheel/program.py $(wheel)/; cd $(wheel); \
	bin/python -W error program.py; \
	bin/ga-ann info model.npz; \
	../bin/mypy --strict --config-file= --python-executable bin/python program.py

clean:
	rm -rf .venv results build dist $(SITE)
