# On a fresh machine: `make grade` grades the example class, `make test` runs everything.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Tests spend much of their time waiting: for commands, and for submissions that hang.
IN_PARALLEL := -n auto --dist loadscope --no-loadscope-reorder

.PHONY: grade test test-quick container-test lint verify mutants fairness benchmark clean

grade: $(INSTALLED)
	$(BIN)/autograder grade examples/pooling/* -a pooling -o results

test: lint
	$(BIN)/python -m pytest -q $(IN_PARALLEL)

test-quick: $(INSTALLED)
	$(BIN)/python -m pytest -q -m "not slow" $(IN_PARALLEL)

# Builds the Gradescope image and grades in it without Docker. Needs root, buildah, podman, runc and debootstrap.
container-test: $(INSTALLED)
	AUTOGRADER_CONTAINER_TEST=1 PATH=$$PATH:/usr/sbin:/sbin $(BIN)/python -m pytest -q -s tests/container

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy autograder
	$(BIN)/autograder release --check
	$(BIN)/hadolint Dockerfile

verify: $(INSTALLED)
	$(BIN)/autograder verify --salt "" --salt other --repeats 5 --table docs/grader-quality.md

# Mutation testing of the graders; takes about an hour on two cores.
mutants: $(INSTALLED)
	$(BIN)/autograder mutants --table docs/grader-quality.md

# Would right answers be refused? Takes hours on two cores.
fairness: $(INSTALLED)
	$(BIN)/autograder fairness --right 'tests/submissions/{slug}/odd' --table docs/grader-quality.md

benchmark: $(INSTALLED)
	$(BIN)/python -m pip install -qq --constraint constraints.txt --editable '.[benchmark]'
	$(BIN)/python benchmarks/single.py
	$(BIN)/python benchmarks/batch.py
	$(BIN)/python benchmarks/large_class.py

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.12 …")'
	@echo "Setting up $(VENV); this takes a few minutes the first time."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --constraint constraints.txt --editable '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) results results.json
