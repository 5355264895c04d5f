# Every target works on a fresh clone: it first makes .venv from the hash-locked dependencies.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
PATH_GIVEN := $(PATH)
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Compiled modules are kept in .venv and here, whatever the environment says: pytest compiles those of its plugins
# itself, which would cost every run two seconds.
unexport PYTHONDONTWRITEBYTECODE
# Tests wait for servers a third of their time, and those of the catalogue two thirds. Each worker takes five seconds to
# import what they test, and to judge the mock for those that look at that.
WORKERS = $(shell $(PYTHON) -c 'import os; print(int($(1) * (os.cpu_count() or 1)))')
.DEFAULT_GOAL := help

# A slip in a name that is given to make would be read by no target that is made, and the mock be judged instead of the server.
GIVEN := $(foreach name,$(filter-out HOSTUP_% SHELL,$(.VARIABLES)),$(if $(filter command,$(origin $(name))),$(name)))
# The paragraphs of this file without a target, and those of the targets that are made.
PARAGRAPHS := awk -v RS= -v made=' $(or $(MAKECMDGOALS),help) ' '{ kept = !/\n[a-z-]+:/; \
  for (n = split($$0, line, "\n"); n; n--) if (match(line[n], /^[a-z-]+:/)) kept += index(made, " " substr(line[n], 1, RLENGTH - 1) " "); \
  if (kept) print }' $(firstword $(MAKEFILE_LIST))
UNREAD := $(foreach name,$(GIVEN),$(if $(shell echo '$(name)' | grep -qx '[A-Z_]*' && $(PARAGRAPHS) | grep -w '$(name)'),,$(name)=))
$(if $(strip $(UNREAD)),$(error nothing that is made reads $(strip $(UNREAD)); make help lists what is read (for the environment of a command, write it before make)))
# Refuses a switch that is given as something else than 1.
SWITCH = $(if $(filter-out 1,$($(1))),$(error $(1)=$($(1)) is unknown; give $(1)=1, or leave it out))

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

PACKAGES = $(shell grep -E '^[a-zA-Z0-9]' conformance/constraints.txt | cut -d= -f1)
# What pip says, in one line that changes on a terminal, and elsewhere in one for every twenty packages.
SHOW_PROGRESS = n=0; while read -r what which rest; do case $$what in \
  Collecting) n=$$((n + 1)); \
    if [ -t 2 ]; then printf '\r  %s of %s: %s\033[K' $$n $(words $(PACKAGES)) "$${which%%=*}"; \
    elif [ $$((n % 20)) = 0 ]; then echo "  $$n of $(words $(PACKAGES))"; fi;; \
  Installing) if [ -t 2 ]; then printf '\r  unpacking them\033[K'; else echo "  unpacking them"; fi;; \
  ended) if [ -t 2 ]; then echo; fi; exit $$which;; esac; done >&2

# What is there as long as .venv is half made, which pip would take for done; and what is said of that after a signal.
UNFINISHED := .venv/unfinished
TELL_OF_SIGNAL = code=$$?; [ $$code -lt 128 ] || echo "the installation was interrupted; run it again" >&2; exit $$code

$(READY): conformance/constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12")'
	@if [ -e $(UNFINISHED) ]; then find .venv -mindepth 1 -maxdepth 1 ! -name $(notdir $(UNFINISHED)) -exec rm -rf {} +; fi
	@[ ! -e $@ ] || echo "what is to be installed has changed, so it is done again:" >&2
	@mkdir -p .venv && touch $(UNFINISHED)
	@trap : INT; $(PYTHON) -m venv .venv; $(TELL_OF_SIGNAL)
	@echo "installing $(words $(PACKAGES)) packages into .venv, once (about a minute) ..." >&2
	@trap : INT; { PYTHONUNBUFFERED=1 $(BIN)/python -m pip install --progress-bar off --disable-pip-version-check --require-hashes \
	  --no-deps -r conformance/constraints.txt; echo "ended $$?"; } | { $(SHOW_PROGRESS); }; $(TELL_OF_SIGNAL)
	@trap : INT; $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .; $(TELL_OF_SIGNAL)
	@rm $(UNFINISHED) && touch $@

.PHONY: install
install: $(READY) ## install everything into .venv, locked by hash

.PHONY: generate
generate: $(READY) ## rewrite the client in generated/, and the other forms of the document, from spec/
	@rm -rf generated/.new
	@python spec/client/generate.py --output generated/.new
	@rm -rf generated/hostup_agent_exec && mv generated/.new generated/hostup_agent_exec
	python spec/renderings.py

.PHONY: table
table: $(READY) ## renew the table of outcomes in spec/client/RESPONSES.md
	PYTHONPATH=conformance/tests python -m client.hostile

.PHONY: demo
demo: $(READY) ## renew what the README shows of a run: the lines in the terminal, and the picture of the report
	PYTHONPATH=conformance/tests python -m demo

.PHONY: deployments
deployments: $(READY) ## judge real servers and front ends (INSTALL=1 installs them; ONLY="flask nginx*")
	@$(call SWITCH,INSTALL)PYTHONPATH=conformance/tests python -m deployments $(if $(INSTALL),--install) $(ONLY:%='%')

# A test that takes longer than four minutes hangs, unless it is asked for so much.
LONG := pytest -q -n auto -o faulthandler_timeout=0
.PHONY: fuzz
fuzz: $(READY) ## fuzz the client a million times and the suite 600,000 times, and say how often, for about an hour (EXAMPLES=… for each test)
	$(if $(filter-out $(shell echo '$(EXAMPLES)' | grep -xE '[1-9][0-9]*'),$(EXAMPLES)),$(error EXAMPLES=$(EXAMPLES) is no number; give EXAMPLES=1000 or the like)) \
	HOSTUP_FUZZ_EXAMPLES=$(or $(EXAMPLES),500000) $(LONG) --hypothesis-show-statistics conformance/tests/client/test_fuzz.py
	HOSTUP_FUZZ_EXAMPLES=$(or $(EXAMPLES),100000) $(LONG) --hypothesis-show-statistics conformance/tests/test_suite_fuzz.py conformance/tests/test_fuzz_*.py \
	  conformance/tests/test_redaction.py

.PHONY: conformance
conformance: $(READY) ## judge a server: the embedded mock, BACKEND=qemu-ga, or BASE_URL=…; with REPORT_DIR=…, ARGS="--live …", PLAN=1
	@$(call SWITCH,PLAN)hostup-conformance run $(if $(filter undefined,$(origin BASE_URL)),,--base-url "$(BASE_URL)") $(if $(BACKEND),--backend "$(BACKEND)") \
	  $(if $(REPORT_DIR),--report-dir "$(REPORT_DIR)") $(if $(PLAN),--plan) $(ARGS)

.PHONY: mock
mock: $(READY) ## serve the embedded mock, or BACKEND=qemu-ga, or SCENE=… for a client, and print its address, keys and a curl command
	@case "$(BACKEND)" in ""|qemu-ga) ;; *) echo "BACKEND=$(BACKEND) is unknown; give qemu-ga, or nothing for the embedded mock" >&2; exit 2;; esac
	@$(if $(SCENE),hostup-conformance client --by-hand --scene $(SCENE),python -m hostup_conformance.$(if $(filter qemu-ga,$(BACKEND)),mock.agent_server,mock))

# A client is found, and finds what it needs, by the PATH of its caller, in which the suite's Python is not the first.
client: export PATH := $(PATH_GIVEN)
.PHONY: client
client: $(READY) ## judge a client: COMMAND="node my-client.mjs"; DOES=probe|poll|run, SCENE=…, REPORT_DIR=…, ARGS="--strict …"
	@$(if $(COMMAND)$(ARGS),,echo 'COMMAND is not set; give the client to judge, as in: make client COMMAND="node my-client.mjs"' >&2; exit 4;) \
	$(BIN)/hostup-conformance client $(if $(DOES),--does $(DOES)) $(if $(SCENE),--scene $(SCENE)) $(if $(REPORT_DIR),--report-dir "$(REPORT_DIR)") $(ARGS) -- $(COMMAND)

.PHONY: clients
clients: $(READY) ## judge every right client of the catalogue in all scenes, and every faulty one in its own, in ten minutes or so (ONLY="generated Logs*")
	ONLY='$(ONLY)' pytest -q -n auto conformance/tests/clients/every_client.py

.PHONY: test pytest
test: $(READY) ## run linters, type checkers and tests, at once; with ALL=1 the catalogue too
	@$(call SWITCH,ALL)$(MAKE) --no-print-directory --jobs check pytest

pytest: $(READY)
	$(call SWITCH,ALL)pytest -q -n $(call WORKERS,1.5) --dist worksteal $(if $(ALL),,-m "not catalogue")

.PHONY: catalogue
catalogue: $(READY) ## run the tests of every fault, variant and deployment beyond those in make test, in eight minutes or so (FILES=… for some of them, as in CI)
	pytest -q -n $(call WORKERS,3) --dist worksteal -m catalogue $(FILES)

.PHONY: check
check: $(READY) ## run linters and type checkers only
	ruff check
	ruff format --check
	lint-imports --no-logo
	mypy
	basedpyright

.PHONY: bench
bench: $(READY) ## measure the client beside raw httpx, the suite beside schemathesis, and runs on servers near and far
	python conformance/bench/client.py
	PYTHONPATH=conformance/tests python -P conformance/bench/server.py $(if $(EVERY),--every $(EVERY)) --list
	PYTHONPATH=conformance/tests python -P conformance/bench/latency.py

# Tests that do not run the client of this process, and those of hundreds of cases, which only make each change take longer.
UNCHANGED := test_catalogue.py test_drift.py test_readme.py test_typing.py test_wheel.py test_hostile.py test_router.py

.PHONY: mutants
mutants: $(READY) ## change the client in one place at a time, and report the changes that no test notices
	rm -rf mutants && mkdir -p mutants/src mutants/conformance/tests mutants/spec
	cp -r generated/hostup_agent_exec mutants/src && cp -r spec/client mutants/spec && cp conformance/mutants.toml mutants/pyproject.toml
	cp -r conformance/tests/client mutants/conformance/tests && cd mutants/conformance/tests/client && rm $(UNCHANGED)
	cd mutants && ulimit -v 3000000 && HOSTUP_FUZZ_EXAMPLES=30 mutmut run && mutmut results  # some read without end

.PHONY: hostile
hostile: $(READY) ## run the suite, and the client, against all hostile servers, for about half an hour (ONLY="gzip_bomb key_*", JOBS=2)
	PYTHONPATH=conformance/tests python -m hostile --jobs $(or $(JOBS),2) $(ONLY:%='%')
	PYTHONPATH=conformance/tests python -m hostile.with_client $(ONLY:%='%')

.PHONY: kill-matrix
kill-matrix: $(READY) ## run all faults and variants, or those in NAMES, and record which requirements report each
	python conformance/tests/kill_matrix.py $(NAMES:%='%')

.PHONY: client-matrix
client-matrix: $(READY) ## run all clients of the catalogue, or those in NAMES, and record which requirements report each
	PYTHONPATH=conformance/tests python -m clients.matrix $(NAMES:%='%')

.PHONY: spec-diff
spec-diff: $(READY) ## list what has changed in the contract since BASE=REV (default: since its version was set), and whom it breaks
	@python spec/spec_diff.py $${BASE:+--base "$$BASE"}

.PHONY: page
page: $(READY) ## tell which sections of the endpoint's documentation differ from what the contract was written from, and what rests on them: PAGE=file, as saved from a browser or as Markdown
	@$(if $(PAGE),,echo 'PAGE is not set; give the page, as in: make page PAGE=agent-exec.html' >&2; exit 4;) \
	python spec/page.py "$(PAGE)"

.PHONY: lock
lock: $(READY) ## renew the locked dependencies in conformance/constraints.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --all-extras --group dev --no-header --no-annotate --output-file conformance/constraints.txt pyproject.toml

.PHONY: audit
audit: $(READY) ## ask OSV for known vulnerabilities of the locked dependencies, and say so if it cannot be asked
	@python conformance/audit.py

.PHONY: wheel
wheel: $(READY) ## build the wheel of client and suite, dist/*.whl
	@python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

.PHONY: clean
clean: ## remove .venv, reports and caches
	rm -rf .venv conformance-report .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis dist mutants .deployments
	find . -name __pycache__ -prune -exec rm -rf {} +
