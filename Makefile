# Everything a newcomer types. `make demo` and `make test` set up what they need.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
CASES ?= 500
WORKERS ?= 2

# Every process of a platform imports the same modules: let the first one keep them compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## show what can be typed
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

# The environment is made anew when the pins or the project's own metadata change.
.venv/ready: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up .venv (about a minute, once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch .venv/ready

.PHONY: setup
setup: .venv/ready ## install everything into .venv

.PHONY: demo
demo: .venv/ready ## run the whole city here: 500 cases through four services (FILE=... FORMAT=nyc-311 for a real file)
	@$(BIN)/python -m deploy.local.demo --cases $(CASES) $(if $(FILE),--file "$(FILE)" --format "$(FORMAT)")

.PHONY: up
up: .venv/ready ## run the platform here until Ctrl-C
	@$(BIN)/handoff up

.PHONY: test
test: .venv/ready ## run every test, on servers of its own (WORKERS=1 for one after the other)
	@$(BIN)/python -m pytest -n $(WORKERS)

.PHONY: check
check: .venv/ready ## run what needs no server: style, types, layers, published contract, quick tests
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m deploy.contract --check
	@$(BIN)/python -m pytest -q -n $(WORKERS) tests/unit tests/architecture tests/contract

.PHONY: format
format: .venv/ready ## format the code and mend what can be mended by itself
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: contract
contract: .venv/ready ## write the published contract anew: docs/asyncapi.yaml, schemas of events and agreements, examples, OpenAPI
	@$(BIN)/python -m deploy.contract

.PHONY: bench
bench: .venv/ready ## measure the budgets; each ratio is printed with its bound
	@$(BIN)/python -m bench

.PHONY: pins
pins: ## resolve requirements/*.txt anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements/runtime.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra mailbox -c requirements/runtime.txt pyproject.toml -o requirements/mailbox.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra local -c requirements/mailbox.txt pyproject.toml -o requirements/local.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev -c requirements/local.txt pyproject.toml -o requirements/dev.txt
