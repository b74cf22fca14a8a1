# make demo   train, evaluate and film the bundled clip     make check   lint, types, layers
# make from-video   the same by way of pixels: a sentence, its video, a clip, a policy
# make test   all tests                                     make bench   speed and memory of this machine
# make notebooks   every notebook, small, from its first cell to its last     make map   docs/rooms.md from the code
PYTHON ?= python3
VENV ?= .venv
CLIP ?= lift_can-rough
MINUTES ?= 6
TORCH ?= torch==2.13.0
SCENE ?= lift_can
PROMPT ?= A person lifts the can with the right hand.
SEEN := $(shell test -e runs/from-video && date +runs/from-video-%Y%m%d-%H%M%S || echo runs/from-video)
OUT := $(shell test -e runs/demo && date +runs/demo-%Y%m%d-%H%M%S || echo runs/demo)

BIN := $(VENV)/bin
RUN := $(BIN)/python -m
CORE := $(VENV)/.installed-core
PERCEPTION := $(VENV)/.installed-perception
DEV := $(VENV)/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help demo from-video test notebooks check format map bench clean

help:
	@sed -n 's/^# //p' Makefile

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "error: no $(PYTHON) here; install Python 3.11 or newer, or: make PYTHON=/path/to/python3.12 ..."; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $$($(PYTHON) --version) is too old; Python 3.11 or newer is needed. Another one: make PYTHON=python3.12 ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "error: $(PYTHON) cannot make a virtual environment; on Debian or Ubuntu: apt install python3-venv"; exit 2; }

$(CORE): pyproject.toml | $(BIN)/python
	@echo "Installing devi-jax into $(VENV) (once, a minute or two) ..."
	@$(RUN) pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(PERCEPTION): pyproject.toml | $(BIN)/python
	@echo "Installing devi-jax and what looks at videos into $(VENV) (once, some minutes) ..."
	@$(RUN) pip install --quiet --disable-pip-version-check $(TORCH)
	@$(RUN) pip install --quiet --disable-pip-version-check -e '.[perception]'
	@touch $(CORE) $@

$(DEV): pyproject.toml | $(BIN)/python
	@echo "Installing devi-jax and its development tools into $(VENV) (once, a minute or two) ..."
	@$(RUN) pip install --quiet --disable-pip-version-check $(TORCH)
	@$(RUN) pip install --quiet --disable-pip-version-check -e '.[dev,perception,wan]'
	@touch $(CORE) $(PERCEPTION) $@

demo: $(CORE)
	$(RUN) devi_jax.train --clip=$(CLIP) --minutes=$(MINUTES) --out=$(OUT)

from-video: $(PERCEPTION)
	$(RUN) devi_jax.imagine --scene=$(SCENE) --prompt="$(PROMPT)" --out=$(SEEN)/video
	$(RUN) devi_jax.extract $(SEEN)/video --out=$(SEEN)/clip.npz
	$(RUN) devi_jax.train --clip=$(SEEN)/clip.npz --minutes=$(MINUTES) --out=$(SEEN)/run
	$(RUN) devi_jax.evaluate $(SEEN)/run --truth=$(SEEN)/video/clip.npz

test: $(DEV)
	$(RUN) pytest -q -n auto --dist loadfile --no-loadscope-reorder

notebooks: $(DEV)
	$(RUN) pytest -q -n auto -m notebook

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

map: $(DEV)
	$(RUN) tests.architecture.room_map

bench: $(CORE)
	$(RUN) devi_jax.bench

clean:
	rm -rf $(VENV) .cache build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
