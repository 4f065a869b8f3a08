# make serve: the bridge on http://localhost:6543 over an Egnyte on this disk; make test: the whole suite.
# make test-fast, test-lowest: a few minutes of it, the latter with the oldest packages that setup.cfg allows.
# make coverage: the whole suite, and what of the package it does not run; make dist: an sdist and a wheel, tested.
# make messages: texts for users, from code and templates into the catalogs of the languages; compile them as well.
# make lock: versions and hashes for deployments, into requirements.lock; make audit: what is known against them.
# make campaign: hours of kills, faults and outages, with their figures into docs/reliability.rst.
# make bench: what it costs here, into benchmarks/results.md; its load comes from wrk, and some rows need nginx.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOWEST := $(VENV)/lowest
CATALOGS := fsp_pyramid/locale
# Tests start the package in many processes, which compile it each time if this is set.
unexport PYTHONDONTWRITEBYTECODE

# Tests of all that other packages do, in a few minutes: for old packages and other Pythons.
FAST := tests/accounts tests/content tests/database tests/egnyte/test_client.py tests/egnyte/test_oauth.py \
    tests/imaging/test_render.py tests/ops tests/protocol tests/rate_stores tests/sources \
    tests/scaffold tests/storage/test_contract.py tests/storage/test_cached.py tests/test_passwords.py \
    tests/test_server.py tests/test_settings.py tests/test_signing.py

.PHONY: serve share test test-fast test-lowest coverage lint format docs messages pictures bench campaign lock audit dist clean

serve: $(VENV)/.serve
	$(BIN)/pserve development.ini

# The same behind a tunnel, with a password, a console token and a key of links of its own: docs/try-beefree.rst
share: $(VENV)/.serve
	@export FSP_PASSWORD="$${FSP_PASSWORD:-$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(24))')}"; \
	export FSP_CONSOLE_TOKEN="$${FSP_CONSOLE_TOKEN:-$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(24))')}"; \
	export FSP_PUBLIC_SECRET="$${FSP_PUBLIC_SECRET:-$$($(BIN)/python -c 'import secrets; print(secrets.token_hex(32))')}"; \
	printf 'User name      beefree\nPassword       %s\nConsole token  %s\n' "$$FSP_PASSWORD" "$$FSP_CONSOLE_TOKEN"; \
	exec $(BIN)/fsp-serve tunnel.ini

test: $(VENV)/.catalogs
	# Many tests wait for something, so four of them keep two cores busy.
	$(BIN)/pytest -n 4 --dist worksteal $(PYTEST_ARGS)

# With another Python: make test-fast PYTHON=python3.13 VENV=var/venv-3.13
test-fast: $(VENV)/.catalogs
	$(BIN)/pytest -n 2 --dist worksteal $(PYTEST_ARGS) $(FAST)

# The same tests with the lowest versions that setup.cfg allows.
test-lowest: $(VENV)/.lowest $(VENV)/.catalogs
	$(LOWEST)/bin/pytest -n 2 --dist worksteal $(PYTEST_ARGS) $(FAST)

coverage: $(VENV)/.catalogs
	rm -rf var/coverage
	mkdir -p var/coverage
	$(BIN)/coverage run -m pytest -n 4 --dist worksteal $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: $(VENV)/.develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell

format: $(VENV)/.develop
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.develop
	$(BIN)/sphinx-build -W -E -q -b html docs var/docs

messages: $(VENV)/.develop
	$(BIN)/pybabel -q extract --mapping-file pyproject.toml --no-default-keywords --keyword '_:1c,2' \
	    --add-location file --no-wrap --project fsp_pyramid --version 1 --copyright-holder 'fsp_pyramid contributors' \
	    --output-file $(CATALOGS)/fsp_pyramid.pot .
	$(BIN)/pybabel -q update --domain fsp_pyramid --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date \
	    --input-file $(CATALOGS)/fsp_pyramid.pot --output-dir $(CATALOGS)
	$(BIN)/pybabel -q compile --domain fsp_pyramid --directory $(CATALOGS)

# An editable installation compiles them once; this does after a change.
$(VENV)/.catalogs: $(VENV)/.develop $(wildcard $(CATALOGS)/*/LC_MESSAGES/*.po)
	$(BIN)/pybabel -q compile --domain fsp_pyramid --directory $(CATALOGS)
	touch $@

# Pictures of the documentation, from a running service. Needs Chromium and its driver.
pictures: $(VENV)/.develop
	$(BIN)/python -m tests.console.pictures

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

# The sdist and the wheel, checked, and tested where nothing else is installed.
dist: $(VENV)/.dist
	rm -rf build dist
	$(BIN)/uv build --quiet --out-dir dist
	$(BIN)/twine check --strict dist/*.tar.gz dist/*.whl
	UV=$(BIN)/uv .ci/test-dist dist/*.tar.gz dist/*.whl

clean:
	rm -rf $(VENV) build dist var

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

# Pyramid 2.0 imports pkg_resources, which setuptools 81 is the last to have.
$(VENV)/.lowest: $(VENV)/.lock setup.cfg
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct \
	    --editable '.[test]' 'setuptools==81.*'
	touch $@

$(VENV)/.dist: $(VENV)/.lock
	$(BIN)/pip install --quiet 'twine>=6.1'
	touch $@

$(VENV)/.bench: $(VENV)/.develop
	$(BIN)/pip install --quiet --editable '.[bench]'
	touch $@
