# `make demo` and `make test` each do all their own set-up in .venv on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BASE := $(VENV)/.base

.PHONY: demo test test-all test-kernels lint bench clean

# vendi-score is an oracle of the tests; its declared dependencies are large, and not needed for it.
# trackio asks for an older Pillow than we test with, and works with this one.
$(STAMP): pyproject.toml constraints.txt
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,topology,chem,mtl,study,survey,cluster,export,hub,web,trackers,tune]'
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation vendi-score==0.0.3
	$(BIN)/python -m pip install --quiet --no-deps trackio==0.43.0 gradio_client==2.7.2 orjson==3.13.0 python-multipart==0.0.34
	touch $(STAMP)

# Nobody needs the extras for a first look.
$(BASE): pyproject.toml constraints.txt
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $(BASE)

demo: $(BASE)
	$(BIN)/mtgan demo

# One thread per worker: two workers with two threads each are slower than this on two cores.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

# Also the slow tests. What they need beside Python is installed; without it they fail.
test-all: $(STAMP)
	command -v npm > /dev/null || { apt-get update && apt-get install --yes npm; }
	ls -d /usr/lib/postgresql/*/bin > /dev/null 2>&1 || { apt-get update && apt-get install --yes postgresql; }
	command -v chromium > /dev/null || { apt-get update && apt-get install --yes chromium; }
	command -v cc > /dev/null || { apt-get update && apt-get install --yes gcc libc6-dev; }
	MTGAN_TEST_ALL=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m 'slow or not slow'

# With the kernels of older processors, up to this one's own, trained networks differ in the last
# bits, and no test may hang on those: PyTorch's, oneDNN's and MKL's, one after another.
test-kernels: $(STAMP)
	best=$$($(BIN)/python -c 'import torch; print(torch.backends.cpu.get_cpu_capability().lower())'); \
	status=0; \
	for kernels in default,SSE41,SSE4_2 avx2,AVX2,AVX2 avx512,AVX512_CORE,AVX512; do \
		set -- $$(echo $$kernels | tr , ' '); \
		echo "kernels: $$*"; \
		ATEN_CPU_CAPABILITY=$$1 ONEDNN_MAX_CPU_ISA=$$2 MKL_ENABLE_INSTRUCTIONS=$$3 \
			OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile || status=1; \
		test $$1 != "$$best" || break; \
	done; \
	exit $$status

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/mtgan bench train --scale tiny

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache
