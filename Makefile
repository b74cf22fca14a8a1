# make demo   train, evaluate and film the bundled clip     make check   lint, types, layers, the map of the code
# make from-video   the same by way of pixels: a sentence, its video, a clip, a policy
# make from-film FILM=cup.mp4 SCENE_FLAGS=--thing=cup   the same from a film of a hand and a thing
# make test   fast tests; make test-all: slow ones too                                make bench   speed and memory of this machine
# make spread      how much room simulated outcomes have, under several instruction sets and from jittered starts
# make notebooks   every notebook, small, from its first cell to its last     make map   docs/rooms.md from the code
# make lock   requirements.lock after a change of pyproject.toml; newer versions: make lock UPGRADE=--upgrade
PYTHON ?= python3
VENV ?= .venv
CLIP ?= lift_can-rough
MINUTES ?= 6
TORCH ?= torch==2.13.0
SCENE ?= lift_can
PROMPT ?= A person lifts the can with the right hand.
FILM ?=
SCENE_FLAGS ?=
EXTRACT_FLAGS ?=
FILMED := $(shell test -e runs/from-film && date +runs/from-film-%Y%m%d-%H%M%S || echo runs/from-film)
SEEN := $(shell test -e runs/from-video && date +runs/from-video-%Y%m%d-%H%M%S || echo runs/from-video)
OUT := $(shell test -e runs/demo && date +runs/demo-%Y%m%d-%H%M%S || echo runs/demo)

BIN := $(VENV)/bin
RUN := $(BIN)/python -m
CORE := $(VENV)/.installed-core
PERCEPTION := $(VENV)/.installed-perception
DEV := $(VENV)/.installed-dev
LOCK := requirements.lock
PLAIN := .cache/plain
UPGRADE ?=
# torch stands before it, without the lock: which build of it, and from where, is the user's choice
INSTALL := $(RUN) pip install --quiet --disable-pip-version-check --constraint $(LOCK)
# uv knows nothing of pip's settings, except what is passed on here
export UV_DEFAULT_INDEX ?= $(or $(PIP_INDEX_URL),https://pypi.org/simple)
RESOLVE := $(BIN)/uv pip compile pyproject.toml --quiet --all-extras
RELOCK := $(RESOLVE) --universal --python-version 3.11 --fork-strategy fewest --annotation-style line \
  --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help demo from-video from-film test slow test-all spread notebooks check format map lock resolve plain bench clean

help:
	@sed -n 's/^# //p' Makefile

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "error: no $(PYTHON) here; install Python 3.11 or newer, or: make PYTHON=/path/to/python3.12 ..."; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $$($(PYTHON) --version) is too old; Python 3.11 or newer is needed. Another one: make PYTHON=python3.12 ..."; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "error: $(PYTHON) cannot make a virtual environment; on Debian or Ubuntu: apt install python3-venv"; exit 2; }

$(CORE): pyproject.toml $(LOCK) | $(BIN)/python
	@echo "Installing devi-jax into $(VENV) (once, a minute or two) ..."
	@$(INSTALL) -e .
	@touch $@

$(PERCEPTION): pyproject.toml $(LOCK) | $(BIN)/python
	@echo "Installing devi-jax and what looks at videos into $(VENV) (once, some minutes) ..."
	@$(RUN) pip install --quiet --disable-pip-version-check $(TORCH)
	@$(INSTALL) -e '.[perception]'
	@touch $(CORE) $@

$(DEV): pyproject.toml $(LOCK) | $(BIN)/python
	@echo "Installing devi-jax and its development tools into $(VENV) (once, a minute or two) ..."
	@$(RUN) pip install --quiet --disable-pip-version-check $(TORCH)
	@$(INSTALL) -e '.[dev,perception,wan]'
	@touch $(CORE) $(PERCEPTION) $@

demo: $(CORE)
	$(RUN) devi_jax.train --clip=$(CLIP) --minutes=$(MINUTES) --out=$(OUT)

from-video: $(PERCEPTION)
	$(RUN) devi_jax.imagine --scene=$(SCENE) --prompt="$(PROMPT)" --out=$(SEEN)/video
	$(RUN) devi_jax.extract $(SEEN)/video --out=$(SEEN)/clip.npz
	$(RUN) devi_jax.train --clip=$(SEEN)/clip.npz --minutes=$(MINUTES) --out=$(SEEN)/run
	$(RUN) devi_jax.evaluate $(SEEN)/run --truth=$(SEEN)/video/clip.npz

from-film: $(PERCEPTION)
	@test -n "$(FILM)" || { echo "error: which film? make from-film FILM=cup.mp4 SCENE_FLAGS=--thing=cup"; exit 2; }
	$(RUN) devi_jax.scene $(FILM) $(SCENE_FLAGS) --out=$(FILMED)/scene
	$(RUN) devi_jax.extract $(FILMED)/scene --out=$(FILMED)/clip.npz $(EXTRACT_FLAGS)
	$(RUN) devi_jax.train --clip=$(FILMED)/clip.npz --root=pinned --minutes=$(MINUTES) --out=$(FILMED)/run
	$(RUN) devi_jax.play $(FILMED)/run --video=$(FILMED)/scene/video.mp4 --out=$(FILMED)/beside.mp4

PYTEST := $(RUN) pytest -q -n auto --dist loadfile --no-loadscope-reorder --durations=40 --durations-min=4

test: $(DEV)
	$(PYTEST) -m "not slow and not notebook"

slow: $(DEV)
	$(PYTEST) -m "slow and not notebook"

test-all: test slow

spread: $(DEV)
	$(RUN) tests.spread $(SPREAD) -n auto --dist loadfile

notebooks: $(DEV)
	$(RUN) pytest -q -n auto -m notebook $(NOTEBOOKS)

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(RUN) pytest -q -p no:cacheprovider tests/architecture/test_room_map.py

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

map: $(DEV)
	$(RUN) tests.architecture.room_map

$(BIN)/uv: | $(BIN)/python
	@$(RUN) pip install --quiet --disable-pip-version-check uv

lock: | $(BIN)/uv
	$(RELOCK) $(UPGRADE) --output-file $(LOCK)

# All extras at once, as locked and at their floors; and the lock is what `make lock` would leave.
resolve: | $(BIN)/uv
	for python in 3.11 3.12 3.13; do \
	  $(RESOLVE) --python-version $$python --constraint $(LOCK) --output-file /dev/null > /dev/null || exit 1; \
	  $(RESOLVE) --python-version $$python --resolution lowest-direct --output-file /dev/null > /dev/null || exit 1; done
	mkdir -p .cache && cp $(LOCK) .cache/$(LOCK)
	$(RELOCK) --output-file .cache/$(LOCK) > /dev/null
	diff $(LOCK) .cache/$(LOCK) || { echo "error: $(LOCK) is out of date: make lock"; exit 1; }

# The plain install in an environment of its own: every command answers --help.
plain: | $(BIN)/python
	rm -rf $(PLAIN) && $(RUN) venv $(PLAIN)
	$(PLAIN)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(LOCK) -e .
	$(PLAIN)/bin/python -m tests.architecture.plain_help
	rm -rf $(PLAIN)

bench: $(CORE)
	$(RUN) devi_jax.bench

clean:
	rm -rf $(VENV) .cache build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
