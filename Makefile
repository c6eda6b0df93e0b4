# make quickstart   the whole way from text to a served answer, in minutes
# make test         the test suite
# make test-interop our weights in Hugging Face's transformers, and theirs here
# make test-browser the page of the local server, in a Chromium that is installed
# make bench-peers  training speed beside Hugging Face and tf-models-official;
#                   with SST_FILE=GLUE/SST-2/train.tsv that of fine-tuning, too
# make lint         what CI checks of the style
# make lock         renew constraints.txt from requirements.txt
# make clean        remove what these commands made, but no run's folder

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
TEST_WORKERS ?= 2
# Where a CPU build of PyTorch is, if not in pip's index.
TORCH_INDEX_ARGS ?=

# The environment is made once, and again when the requirements change.
INSTALLED := $(VENV)/.installed
INTEROP_INSTALLED := $(VENV)/.installed-interop
BROWSER_INSTALLED := $(VENV)/.installed-browser

.PHONY: install quickstart test test-interop test-browser bench-peers lint \
  lock clean

install: $(INSTALLED)

$(INSTALLED): requirements.txt constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check \
	  --requirement requirements.txt --constraint constraints.txt
	touch $@

quickstart: $(INSTALLED)
	$(BIN)/python quickstart.py

test: $(INSTALLED)
	$(BIN)/python -m pytest --numprocesses=$(TEST_WORKERS) --dist=loadfile \
	  --no-loadscope-reorder

$(INTEROP_INSTALLED): $(INSTALLED) requirements-interop.txt
	$(BIN)/pip install --quiet --disable-pip-version-check \
	  --requirement requirements-interop.txt --constraint constraints.txt \
	  $(TORCH_INDEX_ARGS)
	touch $@

test-interop: $(INTEROP_INSTALLED)
	$(BIN)/python -m pytest tests/interop --run_interop

$(BROWSER_INSTALLED): $(INSTALLED) requirements-browser.txt
	$(BIN)/pip install --quiet --disable-pip-version-check \
	  --requirement requirements-browser.txt --constraint constraints.txt
	touch $@

test-browser: $(BROWSER_INSTALLED)
	$(BIN)/python -m pytest tests/browser --run_browser

bench-peers: $(INTEROP_INSTALLED)
	$(BIN)/python -m benchmarks.compare_peers --precision=float32
	$(BIN)/python -m benchmarks.compare_peers --precision=bfloat16
ifdef SST_FILE
	$(BIN)/python -m benchmarks.compare_peers --work=finetuning \
	  --sst_file=$(SST_FILE)
endif

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lock:
	$(PYTHON) -m venv $(VENV).lock
	$(VENV).lock/bin/pip install --quiet --requirement requirements.txt
	{ echo "# The tested lock that every install command uses; 'make lock'"; \
	  echo "# renews it. CPython 3.11, Linux x86-64."; \
	  $(VENV).lock/bin/pip freeze; } > constraints.txt
	rm -r $(VENV).lock

clean:
	rm -rf $(VENV) $(VENV).lock .pytest_cache .ruff_cache build *.egg-info
	find . -name __pycache__ -type d -exec rm -r {} +
