# make demo | test | check | fix | slow | bench: each sets up what it needs. VENV=path uses another environment.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
READY := $(VENV)/.zerosum-ready
KERAS := bench/.keras
# Tests start some hundred processes; compiled modules are kept, so that none compiles what another has, whatever is set outside.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup demo test check fix slow bench docs package

setup: $(READY)

$(READY): pyproject.toml constraints.txt  # modules are compiled as they are imported, which few are
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[dev]'
	touch $@

demo: $(READY)  ## train on real handwritten digits; leaves pictures and a report in demo/
	rm -rf demo
	$(BIN)/zerosum train digits --run demo --width 32 --batch 64 --rounds 2500

test: $(READY)  ## every test but the slow ones
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not slow"

slow: $(READY)  ## learning tests, and everything over a few seconds
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m slow

check: $(READY)  ## formatting, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports

fix: $(READY)  ## put right what can be put right by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) $(KERAS)  ## speed beside peers, in turn, and memory; writes docs/benchmarks.md. Leave the machine alone
	$(BIN)/python -m bench.dcgan --keras $(KERAS)/bin/python --save
	OMP_NUM_THREADS=1 $(BIN)/python -m bench.recipes --clock cpu --save
	OMP_NUM_THREADS=1 $(BIN)/python -m bench.small_games --save
	OMP_NUM_THREADS=1 $(BIN)/python -m bench.costs --clock cpu --save
	$(BIN)/python -m bench.translators --save
	$(BIN)/python -m bench.metrics --save
	$(BIN)/python -m bench.data --save
	OMP_NUM_THREADS=1 $(BIN)/python -m bench.export --save
	OMP_NUM_THREADS=1 $(BIN)/python -m bench.start --save
	$(BIN)/python -m bench.memory

docs: $(READY)  ## the site, in docs/_site: warnings are errors, links are checked
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_site

package: $(READY)  ## wheel and sdist in dist/, tried in a fresh environment that borrows this one's torch
	OMP_NUM_THREADS=1 $(BIN)/python -m pages.package

$(KERAS):
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check tensorflow-cpu
