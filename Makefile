# On a fresh machine: `make grade` grades the example class, `make test` runs everything.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: grade test test-quick lint verify mutants benchmark clean

grade: $(INSTALLED)
	$(BIN)/autograder grade examples/pooling/* -a pooling -o results

test: lint
	$(BIN)/python -m pytest -q

test-quick: $(INSTALLED)
	$(BIN)/python -m pytest -q -m "not slow"

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy autograder
	$(BIN)/autograder release --check

verify: $(INSTALLED)
	$(BIN)/autograder verify --salt "" --salt other --repeats 5 --table docs/grader-quality.md

# Mutation testing of the graders: about an hour on two cores.
mutants: $(INSTALLED)
	$(BIN)/autograder mutants --table docs/grader-quality.md

benchmark: $(INSTALLED)
	$(BIN)/python -m pip install -qq --constraint constraints.txt --editable '.[benchmark]'
	$(BIN)/python benchmarks/single.py
	$(BIN)/python benchmarks/batch.py
	$(BIN)/python benchmarks/large_class.py

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.12 …")'
	@echo "Setting up $(VENV); the first time this takes some minutes."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --constraint constraints.txt --editable '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) results results.json
