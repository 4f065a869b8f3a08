# make serve: the bridge on http://localhost:6543 over an Egnyte on this disk; make test: the whole suite.
# make lock: versions and hashes for deployments, into requirements.lock; make audit: what is known against them.
# make campaign: hours of kills, faults and outages, with their figures into docs/reliability.rst.
# make bench: what it costs here, into benchmarks/results.md; its load comes from wrk, and some rows need nginx.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: serve test lint format docs bench campaign lock audit clean

serve: $(VENV)/.serve
	$(BIN)/pserve development.ini

test: $(VENV)/.develop
	# Many tests wait for something, so three of them keep two cores busy.
	$(BIN)/pytest -n 3 --dist worksteal $(PYTEST_ARGS)

lint: $(VENV)/.develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.develop
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.develop
	$(BIN)/sphinx-build -W -E -q -b html docs var/docs

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks

# What a deployment installs, with hashes: all that runs, for each platform and Python. No URL of an index gets into it.
lock: $(VENV)/.lock
	$(BIN)/uv pip compile setup.cfg --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	    --extra accounts --extra heic --extra metrics --extra postgresql --extra redis \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' --output-file requirements.lock

# Known vulnerabilities of what is locked. It asks a public service, so run it from a timer: docs/deployment.rst
audit: $(VENV)/.lock
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock

campaign: $(VENV)/.develop
	$(BIN)/python -m campaigns --out docs/reliability.rst $(CAMPAIGN_ARGS)

clean:
	rm -rf $(VENV) var

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, $(PYTHON) is %d.%d: make PYTHON=python3.11" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

# One stamp for what it needs to run, one for what it needs to be worked on.
$(VENV)/.serve: $(VENV)/bin/python setup.cfg pyproject.toml
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/.develop: $(VENV)/bin/python setup.cfg pyproject.toml
	$(BIN)/pip install --quiet --editable '.[test,lint,docs]'
	touch $@ $(VENV)/.serve

$(VENV)/.lock: $(VENV)/bin/python setup.cfg pyproject.toml
	$(BIN)/pip install --quiet 'uv>=0.9' 'pip-audit>=2.10'
	touch $@

$(VENV)/.bench: $(VENV)/.develop
	$(BIN)/pip install --quiet --editable '.[bench]'
	touch $@
