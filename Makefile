# `make demo` runs the main job, `make test` the tests; both set up what they need.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
    $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
    && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
# What needs more than pip, or longer than a coffee, runs in .ci/run.
QUICK := not needs_legacy and not needs_bazel and not needs_sanitizers and not needs_adb29 and not needs_gpu and not needs_openvino and not needs_ssh and not needs_sshd and not needs_qemu and not needs_third_party and not slow and not every_row
# Two workers, each with whole files of tests.
SIDE_BY_SIDE := -n 2 --dist loadfile
DATA := build/data/stamp.json
FASHION_MNIST := build/fashion_mnist/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
ARM64_LITERT := build/litert/arm64-v8a/unpacked
THIRD_PARTY := build/third_party/stamp.json
INSTALL_FAILED = { echo "mobilekit: pip could not install the packages of setup.py; its last lines above say why (is there a network?)" >&2; exit 1; }

.PHONY: demo test data lint format benchmarks full clean test-adb29 test-arm64 test-base test-bazel test-gpu test-legacy test-npu test-sanitized test-slow test-ssh test-third-party third-party

demo: $(VENV)/installed $(DATA)
	$(BIN)/mobilekit run examples/quickstart.toml

test: $(VENV)/installed-test $(DATA)
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "$(QUICK)"

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
	.venv-base/bin/python -m pytest $(SIDE_BY_SIDE) -m "not needs_tensorflow and $(QUICK)"

# What the docs say was measured, measured again; writes docs/measured/.
benchmarks: $(VENV)/installed $(DATA) $(FASHION_MNIST) runner
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/lint.py
	$(BIN)/python benchmarks/int8_step.py
	$(BIN)/python benchmarks/conversion.py
	$(BIN)/python benchmarks/accuracy.py
	$(BIN)/python benchmarks/applications.py
	$(BIN)/python benchmarks/qat.py
	$(BIN)/python benchmarks/architectures.py
	$(BIN)/python benchmarks/push.py
	$(BIN)/python benchmarks/runner_overhead.py
	$(BIN)/python benchmarks/harness_overhead.py
	$(BIN)/python benchmarks/sensor_sampling.py
	$(BIN)/python benchmarks/eight_devices.py

# Debian's package of Fashion-MNIST, unpacked here without being installed; apt checks it.
$(FASHION_MNIST):
	@command -v apt-get dpkg-deb >/dev/null || { echo "mobilekit: no apt-get; put the four .gz files of Fashion-MNIST into $(@D)" >&2; exit 1; }
	@mkdir -p build/fashion_mnist
	@cd build/fashion_mnist && apt-get download -q dataset-fashion-mnist || { echo "mobilekit: apt-get cannot bring dataset-fashion-mnist; apt-get update first" >&2; exit 1; }
	@dpkg-deb -x build/fashion_mnist/dataset-fashion-mnist_*.deb build/fashion_mnist
	@touch $@

# Every test at its full size, and every benchmark.
full: $(VENV)/installed-test .venv-legacy/installed $(DATA) $(THIRD_PARTY)
	MOBILEKIT_FUZZ_CASES=10000 MOBILEKIT_FAULTS=1000 $(BIN)/python -m pytest
	$(MAKE) benchmarks

test-legacy: $(VENV)/installed-test .venv-legacy/installed
	$(BIN)/python -m pytest -m needs_legacy

test-adb29: $(VENV)/installed-test
	@test -x /usr/lib/android-sdk/platform-tools/adb || { echo "mobilekit: Debian's adb is missing; apt install adb" >&2; exit 1; }
	$(BIN)/python -m pytest -m needs_adb29

# The runner for 64-bit Arm under qemu, on a simulated phone: outputs, never times.
test-arm64: $(VENV)/installed-test $(ARM64_LITERT)
	@command -v qemu-aarch64-static >/dev/null || { echo "mobilekit: no qemu for 64-bit Arm; on Debian: apt install qemu-user-static" >&2; exit 1; }
	@command -v aarch64-linux-gnu-g++ >/dev/null || { echo "mobilekit: no compiler for 64-bit Arm; on Debian: apt install g++-aarch64-linux-gnu" >&2; exit 1; }
	$(BIN)/python -m pytest -m needs_qemu

# LiteRT's library out of the wheel for 64-bit Arm Linux; pip checks the wheel's sha256.
$(ARM64_LITERT): $(VENV)/installed
	@rm -rf $(@D)
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
	    --platform manylinux_2_27_aarch64 --dest $(@D) \
	    "ai-edge-litert==$$($(BIN)/python -c 'from importlib.metadata import version; print(version("ai-edge-litert"))')" \
	    || $(INSTALL_FAILED)
	@$(BIN)/python -m zipfile -e $(@D)/*.whl $(@D)
	@touch $@

test-bazel: $(VENV)/installed-test
	@command -v bazel >/dev/null || { echo "mobilekit: no bazel; on Debian: apt install bazel-bootstrap" >&2; exit 1; }
	@command -v aarch64-linux-gnu-g++ >/dev/null || { echo "mobilekit: no compiler for --config=linux_arm64; on Debian: apt install g++-aarch64-linux-gnu" >&2; exit 1; }
	$(BIN)/python -m pytest -m needs_bazel

# LiteRT's GPU accelerator on a GPU that is software.
test-gpu: $(VENV)/installed-test
	@test -e /usr/lib/chromium/vk_swiftshader_icd.json || { echo "mobilekit: no software GPU; on Debian: apt install chromium-common" >&2; exit 1; }
	$(BIN)/python -m pytest -m needs_gpu

# The dispatch library of the wheel wants this very version of OpenVINO.
test-npu: $(VENV)/installed-test build/openvino/installed
	$(BIN)/python -m pytest -m needs_openvino

build/openvino/installed: | $(VENV)/bin/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target build/openvino openvino==2026.3.1 || { echo "mobilekit: pip could not install openvino 2026.3.1; its last lines above say why" >&2; exit 1; }
	@touch $@

# Boards, played by this computer through ssh servers on loopback.
test-ssh: $(VENV)/installed-test
	@command -v ssh >/dev/null && { command -v sshd || test -x /usr/sbin/sshd; } >/dev/null || { echo "mobilekit: no ssh or no sshd; on Debian: apt install openssh-client openssh-server" >&2; exit 1; }
	$(BIN)/python -m pytest -m "needs_ssh or needs_sshd"

# Model files that nobody here made, out of four packages of 80 MB.
third-party: $(THIRD_PARTY)

test-third-party: $(VENV)/installed-test $(THIRD_PARTY)
	$(BIN)/python -m pytest -m needs_third_party

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

$(THIRD_PARTY): tests/third_party.toml tests/fetch_third_party.py | $(VENV)/installed
	@$(BIN)/python tests/fetch_third_party.py build/third_party

# The runner's own tests, then the same and the runner on damaged models under sanitizers.
test-sanitized: $(VENV)/installed-test
	$(MAKE) runner-test SANITIZE=1
	$(BIN)/python -m pytest -m needs_sanitizers

clean:
	rm -rf .venv .venv-base .venv-legacy build results

include android_bench/runner/runner.mk
