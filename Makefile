# Every command of the project. `make help` lists them.

FILE   ?= tests/data/sample.csv
TYPE   ?= integrated-ownership
OUT    ?= out
LISTEN ?= 127.0.0.1:8080
DATA   ?= .data
ARGS   ?=

STAKEGRAPH = cargo run --release --locked --package local --bin stakegraph --

.DEFAULT_GOAL := help
.PHONY: help run serve test build check deny bench

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  Settings: FILE, TYPE, OUT and ARGS for run; LISTEN and DATA for serve"

run: ## Run one job through the whole system: make run [FILE=edges.csv] [TYPE=structure]
	@$(STAKEGRAPH) run "$(TYPE)" "$(FILE)" --out "$(OUT)" $(ARGS)

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

BENCH = tests/bench
bench: ## Time this project beside NumPy, SciPy, KLU, pymrio and polars (needs python3-venv and libklu1)
	@python3 -c 'import ctypes.util, sys; sys.exit(None if ctypes.util.find_library("klu") else "KLU is missing: apt-get install libklu1")'
	@test -x $(BENCH)/.venv/bin/python || python3 -m venv $(BENCH)/.venv || { echo "venv is missing: apt-get install python3-venv"; exit 1; }
	$(BENCH)/.venv/bin/python -m pip install --quiet --requirement $(BENCH)/requirements.txt
	cargo build --release --locked --package bench
	$(BENCH)/.venv/bin/python $(BENCH)/run.py target/release/bench $(BENCH)/.venv/networks $(BENCH)/RESULTS.md
