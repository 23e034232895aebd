# Everything a person runs. `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ASK ?=

.DEFAULT_GOAL := help
.PHONY: help env run test test-all check format translations lock catalogue train retrain demo audit bench clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# Each list names the SHA-256 of every file, and pip takes no other. A longer list holds the shorter ones with the same pins,
# so whoever has installed it has them too. Python compiles what it imports when it does: all would be 90 MB.
INSTALL = -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r

$(VENV)/.run: requirements-bot.txt | $(BIN)/python
	$(BIN)/python $(INSTALL) requirements-bot.txt
	@touch $@

$(VENV)/.train: requirements.txt | $(BIN)/python
	$(BIN)/python $(INSTALL) requirements.txt
	@touch $@ $(VENV)/.run

$(VENV)/.dev: requirements-dev.txt | $(BIN)/python
	$(BIN)/python $(INSTALL) requirements-dev.txt
	@touch $@ $(VENV)/.train $(VENV)/.run

$(VENV)/tools/.installed: requirements-tools.txt | $(BIN)/python
	$(BIN)/python -m venv $(VENV)/tools
	$(VENV)/tools/bin/python $(INSTALL) requirements-tools.txt
	@touch $@

env: ## Create .env, for your keys, which nobody else can read; one that is there stays as it is
	@if [ -e .env ] || [ -L .env ]; then echo ".env is there already and stays as it is."; \
	else umask 077 && set -C && cat .env.example > .env && echo "Created .env. Put your keys into it."; fi

run: $(VENV)/.run ## Start the bot; ASK="song - artist" answers once and ends
	@$(BIN)/python -m bot $(if $(ASK),ask "$$ASK")
run: export ASK := $(ASK)

test: $(VENV)/.dev ## Run all tests
	$(BIN)/python -m pytest

test-all: ## Run all tests on Python 3.11, 3.12 and 3.13, as far as they are here; ARGS=... for pytest
	$(PYTHON) scripts/every_python.py $(ARGS)

check: $(VENV)/.dev ## Lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy bot core

format: $(VENV)/.dev ## Mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

translations: $(VENV)/.run ## Bring core/locale up to the sentences in the source, and count what is translated
	$(BIN)/python scripts/translations.py

# The longest list is compiled first; the shorter ones take its pins.
COMPILE = $(VENV)/tools/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links

lock: $(VENV)/tools/.installed ## Compile the pinned requirements from the .in files; UPGRADE=--upgrade raises them
	$(COMPILE) $(UPGRADE) requirements-dev.in -o requirements-dev.txt
	$(COMPILE) -c requirements-dev.txt --no-annotate requirements.in -o requirements.txt
	$(COMPILE) -c requirements-dev.txt --no-annotate requirements-bot.in -o requirements-bot.txt
	$(COMPILE) $(UPGRADE) requirements-tools.in -o requirements-tools.txt

catalogue: $(VENV)/.run ## Build the song catalogue; CSV=file uses a file you have
	$(BIN)/python scripts/fetch_data.py $(if $(CSV),--csv "$(CSV)")

train: $(VENV)/.train ## Train from DATA=folder and write models/
	$(BIN)/python scripts/train.py --data "$(or $(DATA),$(error Say where the training data is: make train DATA=folder))"

retrain: $(VENV)/.train ## Collect fresh figures into DATA=folder, train, and promote the model if it is better
	$(BIN)/python scripts/collect.py --out "$(or $(DATA),$(error Say where the training data is: make retrain DATA=folder))" --snapshot $(COLLECT)
	$(BIN)/python scripts/train.py --data "$(DATA)" --promote || [ $$? -eq 1 ]  # 1: not better, no failure
retrain: COLLECT ?= --chart 1000

demo: $(VENV)/$(if $(README),.dev,.run) ## Write picture, embed and caption of six songs and an artist into demo/; README=1 renews the README's pictures, SHEETS=1 draws every language
	$(BIN)/python scripts/demo.py $(if $(README),--readme) $(if $(SHEETS),--sheets)

audit: $(VENV)/tools/.installed ## Look up known weaknesses of all pinned packages; needs the network, and fails without
	$(VENV)/tools/bin/pip-audit --strict --require-hashes --disable-pip -r requirements-dev.txt
	$(VENV)/tools/bin/pip-audit --strict --require-hashes --disable-pip -r requirements-tools.txt

bench: $(VENV)/.dev ## Measure speed; CSV=file measures on the data set, MILLION=1 also on a million songs
	$(BIN)/python scripts/bench.py $(if $(CSV),--csv "$(CSV)") $(if $(MILLION),--million)

clean: ## Remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
