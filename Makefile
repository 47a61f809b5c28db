# Orikaeshi: everything that is done by hand, each by one command. `make` alone lists them.

PYTHON ?= python3
BIND ?= 127.0.0.1
LANGUAGE ?= en
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
# Phones talk in real time and the processor waits for them, but a phone whose processor is busy loses keys: two files at a time.
IN_REAL_TIME := tests/chaos tests/asterisk tests/contract/calls tests/contract/phones
IN_NO_TIME := tests --ignore=tests/docker $(IN_REAL_TIME:%=--ignore=%)
# Says nothing when all is well, and everything when it is not.
QUIET = ./.ci/quiet

.DEFAULT_GOAL := help
.PHONY: help demo up test lint unit chaos bench doctor constraints clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(READY) ## watch it work: a busy spell with simulated phones, about three minutes (LANGUAGE=ja)
	@$(RUN) -m lab demo --language $(LANGUAGE)

up: $(READY) ## run it until Ctrl-C, with accounts for softphones (BIND=0.0.0.0: phones on other machines)
	@$(RUN) -m lab up --bind $(BIND)

test: $(READY) lint ## lint, then every test; sets up what it needs (real Asterisk, real SIP phones)
	@$(RUN) -m lab.rootfolder > /dev/null
	@$(RUN) -m lab.cluster_door > /dev/null
	@$(RUN) -m lab.browser > /dev/null
	@$(RUN) -m lab.postgres > /dev/null
	@$(RUN) -m pytest -q $(IN_NO_TIME) --numprocesses=2 --dist=loadfile --no-loadscope-reorder $(PYTEST)
	@$(RUN) -m pytest -q $(IN_REAL_TIME) --numprocesses=2 --dist=loadfile --no-loadscope-reorder $(PYTEST)

lint: $(READY) ## style, types and who may import whom
	@$(QUIET) $(VENV)/bin/ruff check .
	@$(QUIET) $(VENV)/bin/ruff format --check .
	@$(QUIET) $(VENV)/bin/mypy
	@$(QUIET) $(VENV)/bin/lint-imports
	@echo "lint: ruff, mypy and import-linter found nothing"

unit: $(READY) ## the fast tests, which need no Asterisk
	@$(RUN) -m lab.browser > /dev/null
	@$(RUN) -m lab.postgres > /dev/null
	@$(RUN) -m pytest -q $(IN_NO_TIME) --numprocesses=2 --dist=loadfile --no-loadscope-reorder $(PYTEST)

chaos: $(READY) ## faults on purpose, judged from outside, about an hour (SEED=7 repeats a run, LONG=1: a night)
	@$(RUN) -m lab.chaos $(if $(SEED),--seed $(SEED)) $(if $(LONG),--long)

bench: $(READY) ## speed and memory beside app_queue and other clients, about an hour (ONLY=hand-over, QUICK=1)
	@$(RUN) -m lab.rootfolder > /dev/null
	@$(RUN) -m lab.browser > /dev/null
	@$(RUN) -m bench $(foreach name,$(ONLY),--only $(name)) $(if $(QUICK),--quick)

doctor: $(READY) ## check the installation in var/ and say what to do
	@$(RUN) -m controller doctor --settings var/controller.toml --secrets var/secrets.env

constraints: ## look for newer versions of everything and pin them in constraints.txt
	@.ci/virtualenv $(PYTHON) build/constraints
	@build/constraints/bin/pip install --quiet --quiet --editable '.[test]'
	@{ echo "# The versions that CI and the images run. Refresh: make constraints"; \
	   build/constraints/bin/pip freeze --exclude-editable; } > build/constraints.txt
	@mv build/constraints.txt constraints.txt && rm -rf build/constraints
	@echo "constraints.txt is new; run make test before you keep it"

clean: ## remove what was made here, except the site in var/ (its database holds promises)
	@rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	@rm -f docker/controller/wheels/*.whl
	@find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

$(READY): constraints.txt pyproject.toml .ci/virtualenv
	@.ci/virtualenv $(PYTHON) $(VENV)
	@echo "installing Python packages into $(VENV)"
	@$(VENV)/bin/pip install --quiet --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@
