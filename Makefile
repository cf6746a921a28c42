# Everything happens in .venv; Python 3.11 to 3.13 and make are all that is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help install demo ui test test-all emulators check format lock docs reference screenshots clean

help:
	@echo "make demo      catalog the DICOM files that come with pydicom, below .demo/"
	@echo "make ui        the Dagster UI on what the demo made"
	@echo "make test      the tests"
	@echo "make test-all  the long ones too"
	@echo "make emulators install the emulator of Azure, whose tests are skipped without it"
	@echo "make check     format, lint, types, import contracts"
	@echo "make install   only set up $(VENV)"
	@echo "make docs      the documentation as a site, below site/"
	@echo "make reference write the pages of the documentation that are made from the code"
	@echo "make lock      resolve requirements.lock anew"

install: $(INSTALLED)

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "Python 3.11, 3.12 or 3.13 is needed, this is %d.%d; name one with PYTHON=..." % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: install
	$(BIN)/dicom-assets demo --to .demo

ui: install
	$(BIN)/dicom-assets ui "$$($(BIN)/python -c 'import pathlib, pydicom.data; print(pathlib.Path(pydicom.data.__file__).parent)')" --lake .demo/lake

# A process more than there are cores, up to four: tests wait for a third of their time, and each process has a JVM of its
# own. Tests of one file stay together, for what they share.
WORKERS = $(shell $(PYTHON) -c 'import os; print(min(4, (os.cpu_count() or 1) + 1))')
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile

test: install
	$(PYTEST)

test-all: install
	$(PYTEST) -m ''

emulators: install
	PATH="$(abspath $(BIN)):$$PATH" npm install --silent --no-audit --no-fund --fetch-retries=1 --fetch-timeout=30000 --prefix $(VENV)/azurite azurite@3.37.0

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: install
	$(BIN)/zensical build --clean --strict

reference: install
	$(BIN)/python docs/tools/reference.py

screenshots: install
	$(BIN)/python docs/tools/screenshots.py

lock: install
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra local --extra connect --extra postgres --extra video --group dev --group docs \
		--no-header --no-emit-index-url --no-emit-find-links --no-annotate --no-strip-extras --output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) .demo site .cache
