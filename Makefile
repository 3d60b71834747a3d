# The words of this project. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVICES := gateway provisioner monitor costs recovery

# What was compiled once is kept: without it every process of every test compiles pytest's assertions and us again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install install-development up load check format test bench chaos contracts requirements clean

help:           ## list the words
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

$(VENV)/.local: requirements/local.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/local.txt
	touch $@

$(VENV)/.development: requirements/development.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/development.txt
	@# Compiled once and kept, tests too (pytest rewrites them): each process of `make test` would do it again, at once.
	$(BIN)/python -m compileall -q shared services deploy
	-$(BIN)/pytest --collect-only > /dev/null
	touch $(VENV)/.local $@

install: $(VENV)/.local               ## what `make up` needs
install-development: $(VENV)/.development  ## what `make check` and `make test` need

up: install     ## start everything embedded; Ctrl-C stops all of it
	@exec $(BIN)/python -m deploy.local up

load: install   ## push a resource of the running demonstration: make load RESOURCE=<id> CPU=97 [SECONDS=300]
	@$(BIN)/python -m deploy.local.load push --resource "$(RESOURCE)" $(if $(CPU),--cpu $(CPU)) $(if $(MEMORY),--memory $(MEMORY)) $(if $(SECONDS),--seconds $(SECONDS))

requirements:   ## pin every service's dependencies with hashes (needs uv on the PATH)
	for service in $(SERVICES); do \
	  uv pip compile pyproject.toml --extra $$service --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet -o requirements/$$service.txt || exit 1; done
	for set in operator local development; do \
	  uv pip compile pyproject.toml --extra $$set --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet -o requirements/$$set.txt || exit 1; done

contracts: install-development   ## generate docs/contracts, docs/messages.md and deploy/nats/users.conf
	$(BIN)/python -m deploy.contracts write

check: install-development       ## linters, types, layers, architecture rules, contract drift
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m deploy.contracts check
	$(BIN)/pytest tests/architecture tests/contracts

test: install-development        ## every test but those of `make check`, on servers it starts itself
	$(BIN)/pytest --numprocesses 4 --ignore=tests/architecture --ignore=tests/contracts

chaos: install   ## kill replicas 1,000 times at their journals' boundaries at six clouds, fuzz 2,000 reads; writes docs/chaos.md [SEED=n] [RESUME=1]
	@$(BIN)/python -m deploy.chaos $(if $(SEED),--seed $(SEED)) $(if $(RESUME),--resume)

format: install-development      ## format the code
	$(BIN)/ruff check --quiet --fix . || true
	$(BIN)/ruff format --quiet .

bench: install-development       ## measure, print the table, write docs/benchmarks.md
	$(BIN)/python -m deploy.benchmarks
