# `make demo` and `make test` each do all their own set-up in .venv on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint bench clean

# vendi-score is an oracle of the tests; its declared dependencies are large, and not needed for it.
$(STAMP): pyproject.toml constraints.txt
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,topology,chem,mtl,study,cluster]'
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation vendi-score==0.0.3
	touch $(STAMP)

demo: $(STAMP)
	$(BIN)/mtgan demo

# One thread per worker: two workers with two threads each are slower than this on two cores.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/mtgan bench train --scale tiny

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache
