# The two commands of the README are `make demo` and `make test`; each does its own set-up.
.PHONY: setup demo test deep chaos doors mutants bench docs lock

# Each process of Kinward would compile 1,600 modules anew: 1.3 of the 2.2 seconds in which it starts.
unexport PYTHONDONTWRITEBYTECODE

setup:
	@scripts/setup

demo: setup
	@.venv/bin/kinward demo

test:
	@scripts/setup extras
	@scripts/test

deep:  ## forty times as many sequences of what can happen, and lists, floods and files of a real number
	@scripts/setup extras
	@KINWARD_TEST_DEEP=1 .venv/bin/pytest -n 2 --dist worksteal $$(git grep -l "support.deep\|run_machine" -- "tests/*/test_*.py")

chaos:  ## 500 kills instead of 20, 200 among the ledger's writers, and Go verifies 20,500 entries
	@scripts/setup extras
	@KINWARD_CHAOS_KILLS=200 .venv/bin/pytest -s tests/integration/ledger/test_sequencing.py -k killed
	@KINWARD_CHAOS_ENTRIES=20500 .venv/bin/pytest -s tests/integration/ledger/test_in_go.py
	@KINWARD_CHAOS_KILLS=500 .venv/bin/pytest -s tests/story/test_chaos.py

doors:  ## thousands of strangers at every door, and what those who behave see; SMALL=1 for a tenth
	@scripts/setup dev
	@.venv/bin/python -m tests.doors $(if $(SMALL),--small)
	@$(MAKE) proxies

mutants:  ## which changes of the code does no test notice? N=300 SEED=1
	@scripts/setup extras
	@.venv/bin/python -m scripts.mutants $(or $(N),300) $(SEED)

bench:  ## beside the peers, in the same run; needs a C++ compiler
	@scripts/setup bench
	@.venv/bin/python bench/pdq.py
	@.venv/bin/python -m bench.pdq_reference
	@.venv/bin/python bench/robustness.py
	@.venv/bin/python bench/index.py
	@.venv/bin/python bench/retro.py
	@.venv/bin/python bench/cases.py
	@.venv/bin/python -m bench.ledger
	@.venv/bin/python -m bench.text
	@.venv/bin/python -m bench.policy
	@.venv/bin/python -m bench.gate

.PHONY: proxies
proxies:  ## Kinward behind nginx and Caddy, by the files of the docs
	@scripts/setup extras
	@scripts/proxies
	@.venv/bin/pytest tests/doors

docs:
	@scripts/setup dev
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict

lock: setup  ## after a change to the dependencies in pyproject.toml
	@scripts/lock
