# Every target works on a fresh clone: it first makes .venv from the hash-locked dependencies.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
export PATH := $(CURDIR)/$(BIN):$(PATH)
.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): conformance/constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12")'
	@$(PYTHON) -m venv .venv
	@echo "installing into .venv, once (about half a minute) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r conformance/constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: install
install: $(READY) ## make .venv with everything, locked by hash

.PHONY: generate
generate: $(READY) ## rewrite generated/ from spec/
	@rm -rf generated/.new
	openapi-python-client generate --path spec/openapi.yaml --meta none --config spec/client/config.yaml \
	  --custom-template-path spec/client/templates --output-path generated/.new --fail-on-warning
	@rm -rf generated/hostup_agent_exec && mv generated/.new generated/hostup_agent_exec

.PHONY: table
table: $(READY) ## renew the table of outcomes in the client's README
	PYTHONPATH=conformance/tests python -m client.hostile

.PHONY: fuzz
fuzz: $(READY) ## fuzz the client a million times, which takes an hour or so (EXAMPLES=… for each of two kinds)
	HOSTUP_FUZZ_EXAMPLES=$(or $(EXAMPLES),500000) pytest -q -n auto conformance/tests/client/test_fuzz.py

.PHONY: conformance
conformance: $(READY) ## judge a server: the embedded mock, or BACKEND=qemu-ga, or BASE_URL=…; REPORT_DIR=…, ARGS="--live …", PLAN=1
	@pytest --pyargs hostup_conformance $(if $(filter undefined,$(origin BASE_URL)),,--base-url "$(BASE_URL)") $(if $(BACKEND),--backend "$(BACKEND)") \
	  $(if $(REPORT_DIR),--report-dir "$(REPORT_DIR)") $(if $(PLAN),--plan) $(ARGS)

.PHONY: mock
mock: $(READY) ## serve the embedded mock, or BACKEND=qemu-ga; prints its address, keys and a curl line
	@python -m hostup_conformance.$(if $(filter qemu-ga,$(BACKEND)),servers.agent_server,mock)

.PHONY: test
test: $(READY) check ## lint, types, and every test: what CI runs
	pytest -q -n auto

.PHONY: check
check: $(READY) ## lint and types alone
	ruff check
	ruff format --check
	lint-imports --no-logo
	mypy
	basedpyright

.PHONY: bench
bench: $(READY) ## the client beside raw httpx (OTHER=1: and openapi-generator; needs the network), the suite beside schemathesis
	python conformance/bench/client.py $(if $(OTHER),--other)
	python conformance/bench/server.py $(if $(EVERY),--every $(EVERY)) --list

.PHONY: soak
soak: $(READY) ## a thousand callers at once, of the mock and of a real guest agent, for SECONDS=20 altogether; CALLERS=1000
	python conformance/bench/soak.py --seconds $(or $(filter-out 0,$(SECONDS)),20) --callers $(or $(CALLERS),1000)

.PHONY: mutants
mutants: $(READY) ## change the client a little everywhere, and see that some test notices
	rm -rf mutants && mkdir -p mutants/src mutants/conformance/tests mutants/spec
	cp -r generated/hostup_agent_exec mutants/src && cp -r spec/client mutants/spec && cp conformance/mutants.toml mutants/pyproject.toml
	cp -r conformance/tests/client mutants/conformance/tests && cd mutants/conformance/tests/client && rm test_drift.py test_readme.py test_templates.py test_typing.py test_wheel.py
	cd mutants && HOSTUP_FUZZ_EXAMPLES=30 mutmut run && mutmut results

.PHONY: hostile
hostile: $(READY) ## run the suite against every hostile server, which takes half an hour or so (ONLY="name name …", JOBS=2)
	PYTHONPATH=conformance/tests python -m hostile --jobs $(or $(JOBS),2) $(ONLY)

.PHONY: kill-matrix
kill-matrix: $(READY) ## run every fault and variant, and write which requirements report each
	python conformance/tests/kill_matrix.py

.PHONY: spec-diff
spec-diff: $(READY) ## what changed in the contract since BASE=REV (else since its version was set), and whom it breaks
	@python spec/spec_diff.py $${BASE:+--base "$$BASE"}

.PHONY: lock
lock: $(READY) ## renew conformance/constraints.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --all-extras --group dev --no-header --no-annotate --output-file conformance/constraints.txt pyproject.toml

.PHONY: clean
clean: ## remove .venv, reports and caches
	rm -rf .venv conformance-report .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis dist mutants
	find . -name __pycache__ -prune -exec rm -rf {} +
