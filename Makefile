# Everything a newcomer types. `make help` prints this list.
PYTHON ?= python3
PORT ?= 8000
WORKERS ?= auto
BIN := .venv/bin
RUN_STAMP := .venv/.installed
DEV_STAMP := .venv/.installed-dev
CHROMIUM ?= /usr/bin/chromium
CATALOGUE := membership/translations
MAKEFLAGS += --no-print-directory
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# pip of the system, working on our environment: Debian's python3-venv is not needed.
PIP := $(PYTHON) -m pip --python $(BIN)/python --quiet --quiet

.DEFAULT_GOAL := help
.PHONY: help install run test test-wordpress check bench pictures mutate lock audit translations clean

help:  ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(RUN_STAMP)  ## Make .venv with what the program needs (only when the lock has changed)

run: $(RUN_STAMP)  ## Start the whole demo on loopback; PORT=8080 chooses the port
	@exec $(BIN)/membership demo --port $(PORT)

test: $(DEV_STAMP)  ## Run every test, on SQLite and PostgreSQL, with a real browser
	@test -x $(CHROMIUM) || { echo "The browser journeys need Chromium, and $(CHROMIUM) is missing." \
	    "On Debian: apt-get install chromium. Elsewhere: make test CHROMIUM=/path/to/chromium"; exit 1; }
	CHROMIUM=$(CHROMIUM) $(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-wordpress: $(DEV_STAMP)  ## Install Debian's WordPress (as root) and try our embeds in it, on loopback
	@dpkg -s wordpress wordpress-theme-twentytwentythree php-cli php-mysql mariadb-server >/dev/null 2>&1 || \
	    apt-get install -y --no-install-recommends \
	    wordpress wordpress-theme-twentytwentythree php-cli php-mysql mariadb-server
	CHROMIUM=$(CHROMIUM) $(BIN)/pytest tests/wordpress/in_wordpress.py -s $(ARGS)

check: $(DEV_STAMP)  ## Lint, format, types, floors, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet templates

bench: $(DEV_STAMP)  ## Measure the hot paths against the limits of this machine
	$(BIN)/python -m tests.bench $(ARGS)

pictures: $(DEV_STAMP)  ## Take the pictures of the README anew, of the real pages (some minutes; needs Chromium)
	CHROMIUM=$(CHROMIUM) $(BIN)/python -m tests.pictures $(ARGS)

mutate: $(DEV_STAMP)  ## Change money, standing and states in every small way and see whether their tests notice (minutes)
	rm -rf mutants && $(BIN)/mutmut run && $(BIN)/mutmut results

lock: $(DEV_STAMP)  ## Write requirements.txt and requirements-dev.txt again, with hashes and without addresses
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --quiet --extra postgres --extra redis --group build -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	    --no-header --quiet --extra postgres --extra redis --group dev -c requirements.txt -o requirements-dev.txt

audit: $(DEV_STAMP)  ## Ask whether a locked package has a known weakness (needs the network)
	$(BIN)/pip-audit --require-hashes --disable-pip -r requirements-dev.txt

translations: $(DEV_STAMP)  ## Collect the texts, bring the catalogues up to date, compile them
	@mkdir -p var
	$(BIN)/pybabel --quiet extract --mapping-file babel.cfg --no-location --sort-output \
	    --output-file var/messages.pot .
	$(BIN)/pybabel --quiet update --input-file var/messages.pot --output-dir $(CATALOGUE) \
	    --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	$(BIN)/pybabel --quiet compile --directory $(CATALOGUE) --statistics

clean:  ## Throw away .venv and the demo's data
	rm -rf .venv var

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 \
	    || { echo "pip is missing. On Debian: apt-get install python3-pip"; exit 1; }
	@$(PYTHON) -m venv --without-pip .venv

$(RUN_STAMP): requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing into .venv (about a minute, once) …"
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-build-isolation --no-deps --no-index --editable .
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(RUN_STAMP)
	@echo "Installing what the tests need …"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@
