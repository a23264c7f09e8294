# `make help` lists the commands; each says in one line what it is for.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.SHELLFLAGS := -eu -c

TARGET := $(or $(CARGO_TARGET_DIR),target)
GRAPHIQL := web/graphiql/dist/index.html
# Passed on, as in `make demo ARGS="--reset"` or `make test ARGS=scheduling`.
ARGS :=
# The demo is built like the tests, which then find it built: a release build is optimised as a whole and takes long.
RELEASE :=

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[1m%-11s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what is missing: PostgreSQL 15 or newer, a C compiler
	@scripts/setup

.PHONY: demo
demo: setup ## build and run two demo clinics (ARGS="--reset" starts anew, RELEASE=1 builds as for production)
	@if command -v npm >/dev/null; then \
		$(MAKE) web || echo "GraphiQL was not built; a plain page takes its place"; \
	else echo "no npm: a plain page takes the place of GraphiQL"; fi
	cargo build --locked $(if $(RELEASE),--release)
	@exec "$(TARGET)/$(if $(RELEASE),release,debug)/praxis" demo $(ARGS)

.PHONY: test
test: setup ## run all tests (ARGS=name picks some)
	@if cargo nextest --version >/dev/null 2>&1; then set -x; cargo nextest run --workspace --locked $(ARGS); \
	else set -x; cargo test --workspace --locked $(ARGS); fi

.PHONY: check
check: ## format, lints, documentation, supply chain, generated files
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked --quiet
	@if cargo deny --version >/dev/null 2>&1; then set -x; cargo deny --workspace check; \
	else echo "cargo-deny is not installed: supply chain not checked"; fi
	scripts/generate --check

.PHONY: generate
generate: ## write the generated files anew: schema.graphql, schema.sql
	scripts/generate

.PHONY: web
web: $(GRAPHIQL) ## build GraphiQL, which the binary then embeds

$(GRAPHIQL): $(wildcard web/graphiql/*.json web/graphiql/*.js web/graphiql/*.html) $(shell find web/graphiql/src -type f 2>/dev/null)
	cd web/graphiql && npm ci --no-audit --no-fund && npm run build
	@touch $@

.PHONY: bench
bench: ## measure throughput, latency, CPU and memory (ARGS="--tenants 5 --scale 0.1" is quick)
	@PRAXIS_BENCH=1 scripts/setup
	cargo build --release --locked
	@exec python3 bench/bench.py $(ARGS)

.PHONY: bench-fleet
bench-fleet: ## measure making, migrating and serving a thousand clinics (ARGS="--tenants 50" is quick)
	@PRAXIS_BENCH=1 scripts/setup
	cargo build --release --locked
	@exec python3 bench/fleet.py $(ARGS)

.PHONY: bench-micro
bench-micro: ## measure sealing, deciding about access, cursors and documents by themselves
	cargo bench --package praxis-platform --package praxis-graphql $(ARGS)

.PHONY: clean-test
clean-test: ## stop the tests' PostgreSQL and remove its data
	@for name in praxis-test-pg praxis-test-pg-other praxis-test-pg-away; do scripts/clean-test "$(TARGET)/$$name" || exit 1; done
