# make demo    the commit's session, before and after it, on every design; and the same bug on today's kernels (needs
#              nothing but Python 3.11)
# make demo-cluster  a sweep on a Dask cluster of three workers on this machine, one of which is killed
# make test    style, types and tests
# make nightly 20,800 of the random sessions of which test checks 520, and the largest searches; make mutants, make wheel
# make mutants plants mistakes in the kernel, one at a time, and names the small test that notices each: some minutes
# make costs   what the commit's three ways cost: the tables of docs/costs.md
# make fidelity  how the model agrees with real kernels: docs/fidelity.md, and the sums in cowpath kernels: some minutes
# make notebook  runs examples/commit.ipynb and writes it with its outputs
# make site    the guide as pages for a browser, in build/site/; a dead link in it is an error
# make lint    style and types only
# make bench   how fast it is here, against C and SimPy: some minutes; make bench BASE=COMMIT: that commit beside this tree
# make same    BASE=COMMIT: whether that commit answers the same, on all cases and examples
# make bench-spin  the checker against SPIN, on models of the same cases written for SPIN by hand
# make picture the README's pictures, drawn by a browser
# make wheel   a wheel in dist/ that has the kernel compiled, for this Python on this kind of machine; and tries it
# make clean   remove what make has made

PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/bash
PYTEST := $(BIN)/python -m pytest -n 2
DESIGNS := linux-3.0 preallocate charge-after-map charge-after-unlock unlock-charge-relock linux-3.0-oom-flag linux-3.1
TODAY := linux-5.15 linux-6.1 linux-6.12 linux-6.18 linux-7.2
COMPARE := $(BIN)/cowpath compare $(addprefix --design ,$(DESIGNS))
COSTS := cost-cow cost-sigbus sigbus-storm sigbus-full own-page lost-retry crowd uncharged swap moved

.PHONY: compiled compiled-checked compiled-plain demo demo-cluster fidelity picture costs notebook site test nightly mutants lint bench same bench-spin wheel clean
.DEFAULT_GOAL := demo

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "cowpath needs Python 3.11 or newer; give one with: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/dev.stamp: pyproject.toml .venv/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: .venv/run.stamp
	@mkdir -p build
	$(BIN)/cowpath warm-up
	$(COMPARE) --seed 1 examples/commit.sh --report build/commit.html
	$(COMPARE) examples/oom-off.sh --report build/oom-off.html
	$(BIN)/cowpath compare $(addprefix --design ,$(TODAY)) examples/high-readahead.sh --report build/today.html

demo-cluster: .venv/dev.stamp
	$(BIN)/cowpath warm-up
	$(BIN)/python examples/demo_cluster.py

# the pictures of the README and the guide: the demo's pages in a browser (needs Chromium)
picture: demo .venv/dev.stamp
	$(BIN)/python docs/pictures/draw.py build/oom-off.html docs/pictures/before-after.png \
		linux-3.0="before: linux-3.0" preallocate="after: preallocate, the commit"
	$(BIN)/python docs/pictures/draw.py build/today.html docs/pictures/today.png \
		linux-5.15="before it came back: linux-5.15" linux-6.18="today: linux-6.18"
	$(BIN)/python docs/pictures/draw.py build/commit.html docs/pictures/first-screen.png
	$(BIN)/cowpath lesson 1 --report build/lesson.html
	$(BIN)/python docs/pictures/draw.py build/lesson.html docs/pictures/lesson.png

costs: .venv/run.stamp
	$(BIN)/cowpath costs $(COSTS:%=examples/%.sh) --seeds 5 --markdown docs/costs.md

fidelity: .venv/run.stamp
	$(BIN)/python docs/fidelity.py

notebook: .venv/dev.stamp
	$(BIN)/python docs/notebook.py

site: .venv/dev.stamp
	$(BIN)/python -m sphinx -W --keep-going -n -q -b html docs build/site

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# what the tests need is compiled once, before two workers want the same of it at the same time
compiled: compiled-checked compiled-plain

compiled-checked: .venv/dev.stamp
	NUMBA_BOUNDSCHECK=1 $(BIN)/python -m pytest -q tests/checked/test_write_back.py

compiled-plain: .venv/dev.stamp
	$(BIN)/cowpath warm-up

# the kernel's rules as plain Python; machines whose every move is checked, with bounds checks; the rest on the code
# that users run
test: .venv/dev.stamp
	@echo "style, types, and the modelled kernel, compiled for the tests: some minutes, once after each change of it"
	+@$(MAKE) --no-print-directory --jobs=3 --output-sync compiled lint
	NUMBA_DISABLE_JIT=1 $(PYTEST) tests/rules
	NUMBA_BOUNDSCHECK=1 $(PYTEST) tests/checked
	$(PYTEST)

# what tests/slow.py leaves out of test. A random session takes a second; a test of a thousand of them more than the
# time that a test may take. All with bounds checks
nightly: .venv/dev.stamp mutants wheel
	NUMBA_DISABLE_JIT=1 $(PYTEST) tests/rules
	HYPOTHESIS_PROFILE=nightly NUMBA_BOUNDSCHECK=1 $(PYTEST) -o faulthandler_timeout=14400

mutants: .venv/dev.stamp
	$(BIN)/python tests/mutants

bench: .venv/dev.stamp
	$(BIN)/python benchmarks/bench.py $(if $(BASE),--base $(BASE))

same: .venv/dev.stamp
	$(if $(BASE),,$(error which commit? make same BASE=COMMIT))
	$(BIN)/python benchmarks/same.py $(BASE)

bench-spin: .venv/dev.stamp
	$(BIN)/python benchmarks/spin_bench.py

# on x86-64 for all processors since x86-64-v2 (2009), on aarch64 for all; for each Python by itself
wheel: .venv/run.stamp
	$(BIN)/python shipping/wheel.py

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
