# The environment is .venv; Python 3.11+ and make are all a machine needs.
PYTHON ?= python3
BIN := .venv/bin
export DAZI_DATA ?= $(CURDIR)/.dazi

.PHONY: run test check coverage fuzz bench bench-gateway bench-security bench-resilience bench-contracts bench-reports bench-production bench-simulate bench-console bench-tuning bench-gpu test-tune model clean lock bundle

run: .venv/run.ok
	@$(BIN)/dazi serve

# Compiled once, and not by each of the thousands of processes that the tests start.
test: .venv/test.ok
	@$(BIN)/python -m compileall -q src tests bench
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: .venv/test.ok
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What decides, records and guards, with every branch; missing lines are printed.
coverage: .venv/test.ok
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto --maxprocesses 8 --dist loadfile tests/router tests/audit tests/guard
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# Parsers against inputs of any kind, many more of them than an ordinary run tries.
fuzz: .venv/test.ok
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -n auto --maxprocesses 8 tests/fuzz tests/knowledge/test_bombs.py tests/knowledge/test_broken_files.py

bench: .venv/test.ok
	$(BIN)/python bench/run.py

bench-gateway: .venv/test.ok
	$(BIN)/python bench/run.py --only gateway

bench-security: .venv/test.ok
	$(BIN)/python bench/security/run.py

bench-resilience: .venv/test.ok
	$(BIN)/python bench/resilience/run.py

bench-contracts: .venv/test.ok
	$(BIN)/python bench/contracts/run.py

bench-console: .venv/test.ok
	PYTHONPATH=src:. $(BIN)/python bench/console/run.py --write

bench-reports: .venv/test.ok
	PYTHONPATH=. $(BIN)/python bench/reports.py --write

# A pool of model servers, on the real vLLM (installed into .bench/vllm, 3.5 GB, or named by DAZI_VLLM).
bench-production: .venv/test.ok
	PYTHONPATH=src:. $(BIN)/python bench/production/run.py --write

# The simulator of `dazi plan simulate` beside real runs over HTTP; a quarter of an hour, on a quiet machine.
bench-simulate: .venv/test.ok
	PYTHONPATH=src:. $(BIN)/python bench/simulate/run.py --write

# A new tool taught to the bundled model; half an hour, on a quiet machine. The environment is that of test-tune.
bench-tuning: .venv/test.ok .venv-tune/ok
	DAZI_TUNE_PYTHON=$(CURDIR)/.venv-tune/bin/python PYTHONPATH=src:. $(BIN)/python bench/tuning/run.py --write

# The trainer's own tests: torch and PEFT lie in .venv-tune, and no test of `make test` needs them.
test-tune: .venv/test.ok .venv-tune/ok
	DAZI_TUNE_PYTHON=$(CURDIR)/.venv-tune/bin/python $(BIN)/python -m pytest tests/lab/tuning

.venv-tune/ok: pyproject.toml
	$(PYTHON) -m venv .venv-tune
	.venv-tune/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0
	.venv-tune/bin/python -m pip install --quiet --disable-pip-version-check transformers==5.24.0 peft==0.21.2 accelerate==1.15.0 safetensors==0.8.0
	@touch $@

# Needs an NVIDIA GPU with torch and transformers, which are no part of .venv: PYTHON=... says where they are.
bench-gpu:
	$(PYTHON) -m bench.gpu

# Rebuild the bundled model from nothing; hours on two cores. See models/mini/README.md.
model:
	$(MAKE) -C models/mini all

# All that a machine without a network needs, in dist/; see docs/en/deploy.md. MODEL=FOLDER adds weights.
bundle: .venv/run.ok
	$(BIN)/python deploy/bundle.py $(if $(MODEL),--model $(MODEL))

# Names, versions and hashes only; the server's lock is what the container and the bundle install.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra build pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra build --extra postgresql --extra redis --extra milvus -c requirements.lock pyproject.toml -o requirements-server.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra build --extra test -c requirements.lock -c requirements-server.lock pyproject.toml -o requirements-test.lock

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Dazi needs Python 3.11 or newer; set PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/run.ok: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q src
	@touch $@

.venv/test.ok: requirements-test.lock .venv/run.ok
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	@touch $@

clean:
	rm -rf .venv .dazi
