# Every target does its own set-up: Python 3.11 or newer and make are all it takes.
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8000
SEEDS ?= 300
FIRST ?= 0
VENV := .venv
BIN := $(VENV)/bin
LITELLM := .litellm
CHECKOV := .checkov
RUN := PYTHONPATH=.:layers/core/python $(BIN)/python
WHERE = --port $(PORT) $(if $(STACK),--stack '$(STACK)')
export SAM_CLI_TELEMETRY := 0

# The Lambda runtime's Python, which `sam build` needs: on the PATH, or among pyenv's versions.
PYTHON313_DIR = $(shell for python in python3.13 $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.13*/bin/python3.13; do \
	"$$python" -c 'import os, sys; print(os.path.dirname(sys.executable))' 2>/dev/null && break; done)

.PHONY: help dev demo test lint format build bench fuzz simulate pr install browser litellm checkov webhook-address chat key keys caps pause resume clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 17

dev: $(VENV)/run.done ## Start everything on this machine (PORT=8000)
	@$(RUN) -m local --port $(PORT) $(ARGS)

demo: $(VENV)/run.done ## Make one video without a browser
	@$(RUN) -m local.demo

test: $(VENV)/dev.done browser ## Run the tests (ARGS="-k name" for some of them)
	$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/dev.done checkov ## Check the style, the types, the imports and the template
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=.:layers/core/python $(BIN)/lint-imports --no-cache
	$(BIN)/cfn-lint template.yaml
	$(BIN)/sam validate --lint --region us-east-1

format: $(VENV)/dev.done ## Put the code into the common style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

build: $(VENV)/dev.done ## Build for deployment: sam build, then bytecode (Python 3.13)
	@test -n "$(PYTHON313_DIR)" || { echo "make build needs Python 3.13, the runtime of the functions"; exit 1; }
	PATH="$(PYTHON313_DIR):$$PATH" $(BIN)/sam build
	"$(PYTHON313_DIR)/python3.13" -m compileall -q --invalidation-mode unchecked-hash .aws-sam/build
	@for library in CoreLayer/python/pydantic_core/_pydantic_core ImagingLayer/python/PIL/_imaging McpLayer/python/rpds/rpds AuthorizingLayer/python/_cffi_backend; do \
		ls .aws-sam/build/$$library.*aarch64*.so >/dev/null || { echo "a layer is not for arm64"; exit 1; }; done

simulate: $(VENV)/dev.done ## Run seeds of the simulation (SEEDS=300 FIRST=0 ARGS="--trace")
	@$(RUN) -m tests.simulation --seeds $(SEEDS) --first $(FIRST) $(ARGS)

bench: $(VENV)/dev.done ## Measure the parser, the answer to chats, and the copy of a large file
	$(RUN) -m tests.bench

fuzz: $(VENV)/dev.done ## Send REQUESTS (100,000) nasty requests to the API
	$(RUN) -m tests.fuzz.run --requests $(or $(REQUESTS),100000) $(ARGS)

webhook-address: $(VENV)/run.done ## Where a server calls whose webhooks are set up once (STACK=name)
	@$(RUN) -m local.webhook_address $(STACK)

chat: $(VENV)/run.done ## Set up PLATFORM=slack, discord, telegram, events or model (STACK=name)
	@$(RUN) -m local.chat_setup $(PLATFORM) $(if $(STACK),--stack '$(STACK)') $(if $(URL),--url '$(URL)') \
		$(if $(TENANT),--tenant '$(TENANT)') $(if $(MODEL),--ask) $(ARGS)

key: $(VENV)/run.done ## Make an API key for TENANT= (NAME=for-what), or REVOKE=one (STACK=name)
	@$(RUN) -m local.api_keys --tenant '$(TENANT)' --name '$(NAME)' --revoke '$(REVOKE)' $(WHERE)

keys: $(VENV)/run.done ## List the API keys of TENANT= (STACK=name)
	@$(RUN) -m local.api_keys --tenant '$(TENANT)' --list $(WHERE)

caps: $(VENV)/run.done ## Show or set what TENANT= or all may make (CAPS="videos=50 usd=20" STACK=name)
	@$(RUN) -m local.caps --tenant '$(TENANT)' $(if $(CAPS),--caps '$(CAPS)') $(if $(RECOUNT),--recount) $(WHERE)

pause: $(VENV)/run.done ## Start no video from now on, of TENANT= or at all (STACK=name)
	@$(RUN) -m local.caps --tenant '$(TENANT)' --pause $(WHERE)

resume: $(VENV)/run.done ## Start videos again
	@$(RUN) -m local.caps --tenant '$(TENANT)' --resume $(WHERE)

pr: lint build test ## Everything that must hold before a change lands

install: $(VENV)/dev.done ## Set up for development

browser: ## Install Chromium for the tests of the page, where that is possible
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends chromium; } \
		|| echo "There is no Chromium here, so the tests of the page will be skipped."

checkov: $(VENV)/dev.done $(CHECKOV)/checkov.done ## Look for insecure settings in the template, and in what SAM makes of it
	@$(RUN) -m tests.transformed >$(CHECKOV)/transformed.json
	@$(CHECKOV)/bin/checkov --config-file .checkov.yaml --file template.yaml $(CHECKOV)/transformed.json

litellm: $(LITELLM)/litellm.done ## Install a LiteLLM proxy (742 MB), without which its tests are skipped

clean: ## Remove what was installed and built
	rm -rf $(VENV) $(LITELLM) $(CHECKOV) .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/python.done:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) has no venv module: install it (Debian: apt install python3-venv)"; exit 1; }
	@touch $@

$(VENV)/run.done: $(VENV)/python.done local/requirements.txt layers/core/python/requirements.txt layers/imaging/requirements.txt layers/signing/requirements.txt layers/authorizing/requirements.txt layers/mcp/requirements.txt
	@echo "Installing what the local run needs ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r local/requirements.txt
	@touch $@

$(VENV)/dev.done: $(VENV)/run.done requirements-dev.txt
	@echo "Installing what development needs ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# An environment of its own: LiteLLM pins what it needs, in other versions than ours.
$(LITELLM)/litellm.done: tests/litellm-requirements.txt
	@echo "Installing a LiteLLM proxy ..."
	@$(PYTHON) -m venv --clear $(LITELLM)
	@$(LITELLM)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# And another: checkov does the same.
$(CHECKOV)/checkov.done: tests/checkov-requirements.txt
	@echo "Installing checkov ..."
	@$(PYTHON) -m venv --clear $(CHECKOV)
	@$(CHECKOV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@
