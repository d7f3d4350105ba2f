# make demo: set up and run the main job.  make test: set up, lint, types, layers, tests, notebooks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
JOBS ?= 2
# how many edges bench-store loads
EDGES ?= 3400000

.PHONY: demo test lint types layers unit notebooks bench bench-store clean

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(STAMP)
	$(BIN)/kgmm demo

test: lint types layers unit notebooks

lint: $(STAMP)
	$(BIN)/ruff check kgmm tests benchmarks
	$(BIN)/ruff format --check kgmm tests benchmarks

types: $(STAMP)
	$(BIN)/mypy

layers: $(STAMP)
	$(BIN)/lint-imports

notebooks: $(STAMP)
	$(BIN)/pytest -p no:cacheprovider --nbmake --nbmake-timeout=300 notebooks

unit: $(STAMP)
	$(BIN)/pytest -n $(JOBS) --dist loadfile --doctest-modules kgmm tests

bench: bench-store bench-walk

bench-store: $(STAMP)
	$(BIN)/python benchmarks/store.py --edges $(EDGES)

bench-%: $(STAMP)
	$(BIN)/python benchmarks/$*.py

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis kgmm-demo
