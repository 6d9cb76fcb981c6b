# Two commands matter: `make demo` and `make test`. Both install what they need.
PYTHON ?= python3
VENV   ?= .venv
FACES  ?=
PEOPLE ?=
WORKERS ?= 3
BIN    := $(VENV)/bin
# pip, both npm and the engine's own environment are fetched side by side.
MAKEFLAGS += --jobs=4

.PHONY: demo private-demo test check install engine format lock clean

demo: install  ## the whole loop: enrol, refuse duplicates, publish, claim
	$(BIN)/personhood demo $(if $(FACES),--faces $(FACES)) $(if $(PEOPLE),--people $(PEOPLE))

private-demo: install engine  ## three parties that match faces which none of them can see
	$(BIN)/personhood party demo

test: install engine tests/interop/node_modules/.installed  ## everything that passes without a GPU
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal

check: install  ## before every commit: format, lint, types, who imports whom, fast tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m contracts.compile --check
	$(BIN)/python -m identity_proofs.kernel.build --check
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal -m "not slow"

install: $(VENV)/.installed node_modules/.installed  ## packages, local chain, models, circuit
	$(BIN)/personhood models install opencv
	$(BIN)/personhood artifacts install

engine: $(VENV)/.installed  ## what the parties compute with, in an environment of its own
	$(BIN)/personhood party install

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

# anvil's package is one a platform, which a lock made on another platform does not name; where
# it cannot be had, the embedded node takes its place.
node_modules/.installed: package.json package-lock.json
	npm ci --no-audit --no-fund --silent
	npm install --no-save --no-package-lock --no-audit --no-fund --silent @foundry-rs/anvil@1.7.1 \
		|| echo "anvil cannot be had here: the embedded node will serve"
	touch $@

# The reference implementation and a Solidity compiler: tests need them, users do not.
tests/interop/node_modules/.installed: tests/interop/package.json tests/interop/package-lock.json
	cd tests/interop && npm ci --ignore-scripts --no-audit --no-fund --silent
	touch $@

format:
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock:  ## after a change of pyproject.toml
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra dev --extra localnode pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) node_modules tests/interop/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
