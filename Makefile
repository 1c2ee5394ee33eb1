# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
#
# The only door. Every target sets up what it needs; nothing has to be installed by hand first but Python,
# make and git. `make help` lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
SETUP := PYTHON="$(PYTHON)" bash packaging/setup

# The house's own code: what is formatted, linted and covered by a licence header.
CODE := appliance export calibration ui benchmarks tests

export QT_QPA_PLATFORM ?= offscreen

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z-]+):.*## /\1\t/' \
	  | awk -F '\t' '{ printf "  make %-14s %s\n", $$1, $$2 }'

.PHONY: setup
setup: ## Make .venv with the locked packages, and the few system libraries that Qt needs
	@$(SETUP)/system_libraries.sh screen
	@$(SETUP)/environment.sh

.PHONY: setup-peers
setup-peers: setup ## Also the independent DICOM tools that tests compare with (dcmtk, dicom3tools)
	@$(SETUP)/system_libraries.sh peers

.PHONY: setup-export
setup-export: setup ## Also the workshop: torch (CPU) and what converts and trains models
	@$(SETUP)/environment.sh export

.PHONY: setup-rtx
setup-rtx: setup ## Also TensorRT for RTX, NVIDIA's licence: builds models for RTX cards without one
	@$(SETUP)/environment.sh rtx

.PHONY: setup-triton
setup-triton: setup ## Also a Triton inference server (CPU) that the tests of shared inference talk to
	@$(SETUP)/environment.sh triton

.PHONY: demo
demo: setup ## Bundled studies through the whole appliance; says what to look at next
	@$(BIN)/scanside demo $(ARGS)

.PHONY: test
test: setup-peers ## The whole test suite; ARGS="tests/store -x" for a part of it
	@$(BIN)/python -m pytest $(ARGS)

.PHONY: check
check: setup-peers ## The definition of done: format, lint, types, imports, licences, tests, docs, wheel
	@$(SETUP)/environment.sh export-if-possible
	@$(SETUP)/environment.sh rtx-if-possible
	@$(SETUP)/environment.sh triton-if-possible
	@echo "== format";   $(BIN)/ruff format --check --quiet $(CODE)
	@echo "== lint";     $(BIN)/ruff check --quiet $(CODE)
	@echo "== types";    $(BIN)/mypy
	@echo "== imports";  $(BIN)/lint-imports --no-cache > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }
	@echo "== licences"; $(BIN)/reuse lint --lines
	@echo "== tests (docs and the built wheel among them)"
	@$(MAKE) test

.PHONY: fix
fix: setup ## Format, and mend what the linter can mend by itself
	@$(BIN)/ruff check --fix --quiet $(CODE) || true
	@$(BIN)/ruff format $(CODE)

.PHONY: bench-quick
bench-quick: setup ## The short benchmark: ratios to the naive peer on this machine
	@rm -rf build/bench-quick
	@$(BIN)/python -m benchmarks run --quick --into build/bench-quick $(ARGS)

LOCALES := fr es pt hi sw ar

.PHONY: catalogues
catalogues: ## Collect the sentences of the screen into ui/locale/*.po and compile them
	@mkdir -p build
	@$(BIN)/pybabel -q extract --no-default-keywords -k tr -k tr_n:1,2 -k noted --no-location --sort-output \
	  --project=Scanside --copyright-holder="The Scanside authors" -o build/kiosk.pot ui
	@for code in $(LOCALES); do $(BIN)/pybabel -q update -i build/kiosk.pot -d ui/locale -D kiosk -l $$code \
	  --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date; done
	@$(BIN)/pybabel -q compile -d ui/locale -D kiosk --statistics

.PHONY: lock
lock: setup ## Pin every package again, newest allowed versions, with hashes
	@$(SETUP)/lock.sh $(ARGS)

.PHONY: sbom
sbom: setup ## The bill of materials of a device as CycloneDX JSON, into dist/
	@$(SETUP)/sbom.sh $(ARGS)

.PHONY: audit
audit: setup ## Ask the public advisory service about every locked package (needs the network)
	@$(BIN)/pip-audit --disable-pip --require-hashes --requirement packaging/constraints/run.txt $(ARGS)

.PHONY: docs
docs: setup ## The documents as a site, into build/site
	@$(BIN)/python -m properdocs build --strict --config-file mkdocs.yml
	@echo build/site/index.html

.PHONY: trace
trace: ## Write docs/trace.md again: from hazard to requirement to test
	@$(BIN)/python -m tests.trace_matrix

.PHONY: wheel
wheel: setup ## Build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls -l dist/*.whl

.PHONY: deb
deb: setup ## Build the packages of a device into dist/; ARGS=ubuntu2404-amd64 for another target, ARGS=all for all
	@$(SETUP)/system_libraries.sh packages
	@packaging/deb/build.sh $(ARGS)

.PHONY: clean
clean: ## Remove what building and checking leave behind; keeps .venv
	@rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
