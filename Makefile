# `make demo` runs the main job, `make test` the tests; both set up what they need.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
    $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
    && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
# What needs more than pip, or longer than a coffee, runs in .ci/run.
QUICK := not needs_legacy and not needs_bazel and not needs_sanitizers and not needs_adb29 and not needs_ssh and not needs_sshd and not slow
DATA := build/data/stamp.json
INSTALL_FAILED = { echo "mobilekit: pip could not install the packages of setup.py; its last lines above say why (is there a network?)" >&2; exit 1; }

.PHONY: demo test data lint format benchmarks full clean test-adb29 test-base test-bazel test-legacy test-sanitized test-slow test-ssh

demo: $(VENV)/installed $(DATA)
	$(BIN)/mobilekit run examples/quickstart.toml

test: $(VENV)/installed-test $(DATA)
	$(BIN)/python -m pytest -m "$(QUICK)"

data: $(DATA)

lint: $(VENV)/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# What a bench host has: no TensorFlow. The tests that need it are left out by name.
test-base: .venv-base/installed $(DATA)
	.venv-base/bin/python -m pytest -m "not needs_tensorflow and $(QUICK)"

# What the docs say was measured, measured again; writes docs/measured/.
benchmarks: $(VENV)/installed $(DATA) runner
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/int8_step.py
	$(BIN)/python benchmarks/accuracy.py
	$(BIN)/python benchmarks/applications.py
	$(BIN)/python benchmarks/push.py
	$(BIN)/python benchmarks/runner_overhead.py

# Every test at its full size, and every benchmark.
full: $(VENV)/installed-test .venv-legacy/installed $(DATA)
	MOBILEKIT_FUZZ_CASES=10000 MOBILEKIT_FAULTS=1000 $(BIN)/python -m pytest
	$(MAKE) benchmarks

test-legacy: $(VENV)/installed-test .venv-legacy/installed
	$(BIN)/python -m pytest -m needs_legacy

test-adb29: $(VENV)/installed-test
	@test -x /usr/lib/android-sdk/platform-tools/adb || { echo "mobilekit: Debian's adb is missing; apt install adb" >&2; exit 1; }
	$(BIN)/python -m pytest -m needs_adb29

test-bazel: $(VENV)/installed-test
	@command -v bazel >/dev/null || { echo "mobilekit: no bazel; on Debian: apt install bazel-bootstrap" >&2; exit 1; }
	@command -v aarch64-linux-gnu-g++ >/dev/null || { echo "mobilekit: no compiler for --config=linux_arm64; on Debian: apt install g++-aarch64-linux-gnu" >&2; exit 1; }
	$(BIN)/python -m pytest -m needs_bazel

# Boards, played by this computer through ssh servers on loopback.
test-ssh: $(VENV)/installed-test
	@command -v ssh >/dev/null && { command -v sshd || test -x /usr/sbin/sshd; } >/dev/null || { echo "mobilekit: no ssh or no sshd; on Debian: apt install openssh-client openssh-server" >&2; exit 1; }
	$(BIN)/python -m pytest -m "needs_ssh or needs_sshd"

test-slow: $(VENV)/installed-test $(DATA)
	$(BIN)/python -m pytest -m slow

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "mobilekit: no Python 3.11, 3.12 or 3.13 is on PATH; install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "mobilekit: $(PYTHON) has no venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "mobilekit: making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: setup.py | $(VENV)/bin/python
	@echo "mobilekit: installing (TensorFlow is 600 MB; this takes minutes the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[convert]' || $(INSTALL_FAILED)
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	@echo "mobilekit: installing what the tests need"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[convert,test]' || $(INSTALL_FAILED)
	@touch $@

.venv-base/installed: setup.py
	$(PYTHON) -m venv .venv-base
	@.venv-base/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test]' || $(INSTALL_FAILED)
	@touch $@

# tflite-runtime ended at Python 3.11; nothing of mobilekit is installed beside it.
.venv-legacy/installed:
	@python3.11 -c 'import ensurepip, venv' || { echo "mobilekit: the tests of tflite-runtime 2.14 need python3.11 with venv" >&2; exit 1; }
	python3.11 -m venv .venv-legacy
	@.venv-legacy/bin/python -m pip install --quiet --disable-pip-version-check tflite-runtime==2.14.0 'numpy<2' || $(INSTALL_FAILED)
	@touch $@

$(DATA): examples/data.toml examples/fetch_data.py | $(VENV)/installed
	@$(BIN)/python examples/fetch_data.py build/data

# The runner's own tests, then the same and the runner on damaged models under sanitizers.
test-sanitized: $(VENV)/installed-test
	$(MAKE) runner-test SANITIZE=1
	$(BIN)/python -m pytest -m needs_sanitizers

clean:
	rm -rf .venv .venv-base .venv-legacy build results

include android_bench/runner/runner.mk
