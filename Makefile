# Each target is one script under deploy/ or one command of `bianmin`; without make, run those.
.DEFAULT_GOAL := help
.PHONY: help setup demo test test-deep lint format bench simulate mutate voice pictures reference lock clean

BIANMIN := .venv/bin/bianmin

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  make demo OFFLINE=1 starts with the link cut; make demo RESET=1 forgets its data"

setup: ## install what demo and tests need (asked for by the others, quick when done)
	@deploy/setup

demo: setup ## start a village kiosk and its centre on this machine
	@exec $(BIANMIN) demo $(if $(OFFLINE),--offline) $(if $(RESET),--reset)

test: ## lint, then every test that is quick and needs no root
	@deploy/test $(ARGS)

test-deep: ## the long tests: real kills, full disks, simulation
	@deploy/test-deep $(ARGS)

lint: ## form, types and import directions
	@deploy/lint

format: setup ## put the source into its form
	@.venv/bin/ruff check --quiet --fix . ; .venv/bin/ruff format --quiet .

bench: ## measure what docs/performance.md states
	@deploy/bench $(ARGS)

simulate: ## live through misfortune from seeds; SEEDS=300 FIRST=1 JOBS=2; SEEDS=1 tells the story
	@deploy/simulate --seeds $(or $(SEEDS),300) --first $(or $(FIRST),1) --jobs $(or $(JOBS),2)

mutate: ## break the product on purpose, one check at a time: the simulation must notice each
	@deploy/mutate $(ARGS)

voice: setup ## render the sentences that have no recording
	@deploy/voice

pictures: setup ## take the README's pictures anew
	@.venv/bin/python -m tests.browser.pictures

reference: setup ## write docs/reference.md anew from the programs
	@.venv/bin/python -m tests.docs.reference

lock: setup ## pin the Python packages anew
	@deploy/lock

clean: ## remove what was made here, the demo's data and .venv included
	@rm -rf .venv .build var build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
