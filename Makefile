# make demo: set up what running needs and run the main job.
# make test: set up the rest too, then lint, types, layers, tests (the site's build is one), notebooks.
# make docs: build the site into docs/_build/html, offline.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNS := $(VENV)/.runs
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt
JOBS ?= 2
# what the extra ocr installs, without the opencv-python it asks for: the headless one of the extra video does as well
READER := 'rapidocr-onnxruntime>=1.4; python_version<"3.13"' pyclipper shapely six PyYAML
# how many edges bench-store loads
EDGES ?= 3400000

#: what is imported is compiled as it is first imported, in this environment, whatever the shell says
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo docs test lint types layers unit notebooks bench bench-store clean

$(RUNS): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(STAMP): $(RUNS)
	$(PIP) --editable '.[dev]'
	$(PIP) --no-deps $(READER)
	touch $@

demo: $(RUNS)
	$(BIN)/kgmm demo

docs: $(STAMP)
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going --builder html docs docs/_build/html

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

#: each of the JOBS computes on one thread: two that share the cores wait for each other's threads
unit: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(JOBS) --dist loadfile --max-worker-restart=0 --doctest-modules kgmm tests

bench: bench-store bench-walk bench-sparql

bench-store: $(STAMP)
	$(BIN)/python benchmarks/store.py --edges $(EDGES)

bench-%: $(STAMP)
	$(BIN)/python benchmarks/$*.py

clean:
	rm -rf $(VENV) dist build docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis kgmm-demo
