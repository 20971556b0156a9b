# Every command of the project. `make help` lists them.

FILE   ?= tests/data/sample.csv
TYPE   ?= integrated-ownership
OUT    ?= out
LISTEN ?= 127.0.0.1:8080
DATA   ?= .data
ARGS   ?=

STACK      ?=
REGION     ?=
PARAMETERS ?=
PORT       ?= 9000

SECONDS    ?= 30
CLIENTS    ?= 8
KILL       ?=

STAKEGRAPH = cargo run --release --locked --package local --bin stakegraph --

.DEFAULT_GOAL := help
.PHONY: under-test help run inspect serve test build check deny validate deploy destroy local-aws test-aws test-browser test-api-fuzz cold-start bench load

# What the commands on AWS need beside Rust lives in the project, and comes from PyPI.
SAM_TOOLS  = infra/.venv/ready
TEST_TOOLS = tests/aws/.venv/ready
WITH_SAM   = PATH="$(CURDIR)/infra/.venv/bin:$$PATH" SAM_CLI_TELEMETRY=0
NATIVE     = Architecture=$(shell uname -m | sed 's/aarch64/arm64/')

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  Settings: FILE, TYPE, OUT and ARGS for run; LISTEN and DATA for serve; STACK, REGION and PARAMETERS for deploy"

run: ## Run one job through the whole system: make run [FILE=edges.csv] [TYPE=structure]
	@$(STAKEGRAPH) run "$(TYPE)" "$(FILE)" --out "$(OUT)" $(ARGS)

inspect: ## Look into a file without a job: make inspect [FILE=edges.csv]
	@$(STAKEGRAPH) inspect "$(FILE)" $(ARGS)

serve: ## Run the system until ctrl-c: make serve [LISTEN=127.0.0.1:9000] [DATA=folder]
	@$(STAKEGRAPH) serve --listen "$(LISTEN)" --data "$(DATA)" $(ARGS)

test: ## Run all tests
	cargo test --workspace --locked

build: ## Build the binary target/release/stakegraph
	cargo build --release --locked --package local --bin stakegraph

check: ## Check format, lints and docs
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

deny: ## Check licences, sources and who may use what (needs cargo-deny)
	cargo deny --workspace --locked check bans licenses sources

validate: $(SAM_TOOLS) $(TEST_TOOLS) ## Check the template of the stack
	cd infra && $(WITH_SAM) sam validate --lint --template-file template.yaml --region us-east-1
	tests/aws/.venv/bin/cfn-lint infra/template.yaml

deploy: $(SAM_TOOLS) ## Deploy to AWS: make deploy STACK=name REGION=eu-central-1 [PARAMETERS="Access=open"]
	@test -n "$(STACK)" && test -n "$(REGION)" || { echo "say which: make deploy STACK=name REGION=eu-central-1"; exit 2; }
	rustup target add aarch64-unknown-linux-gnu
	cd infra && $(WITH_SAM) sam build --template-file template.yaml $(if $(PARAMETERS),--parameter-overrides $(PARAMETERS))
	cd infra && $(WITH_SAM) sam deploy --stack-name "$(STACK)" --region "$(REGION)" --capabilities CAPABILITY_IAM \
		--resolve-s3 --no-confirm-changeset --no-fail-on-empty-changeset $(if $(PARAMETERS),--parameter-overrides $(PARAMETERS))
	@infra/.venv/bin/python infra/stack.py show "$(STACK)" "$(REGION)"

destroy: $(SAM_TOOLS) ## Take a stack away; data stays: make destroy STACK=name REGION=... [EVERYTHING=yes]
	@test -n "$(STACK)" && test -n "$(REGION)" || { echo "say which: make destroy STACK=name REGION=eu-central-1"; exit 2; }
	$(WITH_SAM) infra/.venv/bin/python infra/stack.py destroy "$(STACK)" "$(REGION)" $(if $(filter yes,$(EVERYTHING)),everything)

local-aws: $(SAM_TOOLS) build ## Run the Lambda binaries here, under cargo lambda watch, on the embedded engines
	@echo "the API: http://127.0.0.1:$(PORT)/lambda-url/api/ (each function is built when it is first called)"
	$(WITH_SAM) target/release/stakegraph engines --data .data-aws --functions "http://127.0.0.1:$(PORT)" -- \
		cargo lambda watch --invoke-address 127.0.0.1 --invoke-port "$(PORT)" --ignore-changes

test-aws: $(SAM_TOOLS) $(TEST_TOOLS) validate ## Prove the stack without an account (needs Python 3.11)
	cd infra && $(WITH_SAM) sam build --template-file template.yaml --parameter-overrides $(NATIVE)
	cargo build --locked --package system-tests --bin stakegraph-under-test
	tests/aws/.venv/bin/pytest --quiet tests/aws

BROWSER_TOOLS = tests/browser/node_modules/.package-lock.json
UNDER_TEST    = target/debug/stakegraph-under-test
under-test:
	cargo build --locked --package system-tests --bin stakegraph-under-test

test-browser: under-test $(BROWSER_TOOLS) ## Use the dashboard in Chromium (needs Node 18 and chromium; CHROMIUM=path)
	cd tests/browser && CHROMIUM="$${CHROMIUM:-$$(command -v chromium)}" STAKEGRAPH="$(CURDIR)/$(UNDER_TEST)" node --test --test-reporter=spec

test-api-fuzz: under-test tests/api/.venv/ready ## Send the API what its contract allows and forbids: [SECONDS=30]
	tests/api/.venv/bin/python tests/api/fuzz.py "$(CURDIR)/$(UNDER_TEST)" "$(SECONDS)"

$(BROWSER_TOOLS): tests/browser/package-lock.json
	cd tests/browser && npm ci --no-audit --no-fund --ignore-scripts

tests/api/.venv/ready: tests/api/requirements.txt
	python3 -m venv tests/api/.venv
	tests/api/.venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

cold-start: ## Measure start-up and size of what test-aws built
	python3 tests/aws/cold_start.py target/lambda

$(SAM_TOOLS): infra/requirements.txt
	python3 -m venv infra/.venv
	infra/.venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(TEST_TOOLS): tests/aws/requirements.txt
	python3 -m venv tests/aws/.venv
	tests/aws/.venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

load: ## Many small jobs against a server of its own: make load [SECONDS=30] [CLIENTS=8] [KILL=yes]
	cargo build --release --locked --package local --package bench --bin stakegraph --bin load
	target/release/load target/release/stakegraph "$(SECONDS)" "$(CLIENTS)" $(if $(filter yes,$(KILL)),kill)

BENCH = tests/bench
bench: ## Time this project beside NumPy, SciPy, KLU, pymrio and polars (needs python3-venv and libklu1)
	@python3 -c 'import ctypes.util, sys; sys.exit(None if ctypes.util.find_library("klu") else "KLU is missing: apt-get install libklu1")'
	@test -x $(BENCH)/.venv/bin/python || python3 -m venv $(BENCH)/.venv || { echo "venv is missing: apt-get install python3-venv"; exit 1; }
	$(BENCH)/.venv/bin/python -m pip install --quiet --requirement $(BENCH)/requirements.txt
	cargo build --release --locked --package bench
	$(BENCH)/.venv/bin/python $(BENCH)/run.py target/release/bench $(BENCH)/.venv/networks $(BENCH)/RESULTS.md
