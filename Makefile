# The commands of the project. Every target that needs the environment sets it up first.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
CASES ?= 500
WORKERS ?= 2

# Every process of a platform imports the same modules, so the first one must write their compiled files.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

# The environment is built again when the pins or the project's metadata change.
.venv/ready: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up .venv (about a minute, once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch .venv/ready

.PHONY: setup
setup: .venv/ready ## install the project and its dependencies into .venv

.PHONY: demo
demo: .venv/ready ## run a city on this machine, and file 500 cases (CASES=...; a real file: FILE=... FORMAT=nyc-311)
	@$(BIN)/python -m deploy.local.demo --cases $(CASES) $(if $(FILE),--file "$(FILE)" --format "$(FORMAT)")

.PHONY: up
up: .venv/ready ## run the platform on this machine until Ctrl-C
	@$(BIN)/handoff up

.PHONY: test
test: .venv/ready ## run all tests, with their own Kafka and PostgreSQL (WORKERS=1: without parallel processes)
	@$(BIN)/python -m pytest -n $(WORKERS)

.PHONY: check
check: .venv/ready ## run the checks without a server: format, lint, types, imports, contract, quick tests
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m deploy.contract --check
	@$(BIN)/python -m pytest -q -n $(WORKERS) tests/unit tests/architecture tests/contract

.PHONY: format
format: .venv/ready ## format the code, and apply the automatic fixes
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: contract
contract: .venv/ready ## write the published contract: AsyncAPI, OpenAPI, schemas and examples in docs/
	@$(BIN)/python -m deploy.contract

.PHONY: bench
bench: .venv/ready ## measure the performance budgets, and print each ratio with its bound
	@$(BIN)/python -m bench

.PHONY: pins
pins: ## resolve requirements/*.txt again (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements/runtime.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra mailbox -c requirements/runtime.txt pyproject.toml -o requirements/mailbox.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra local -c requirements/mailbox.txt pyproject.toml -o requirements/local.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev -c requirements/local.txt pyproject.toml -o requirements/dev.txt
