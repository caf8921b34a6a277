# The C++ runner with any compiler of C++17. Included by the Makefile of the root; alone:
#   make -f android_bench/runner/runner.mk runner
# SANITIZE=1 builds with AddressSanitizer and UBSan, beside the other. ABI=arm64-v8a cross-compiles
# for 64-bit Arm with glibc, into a folder of that name; Android's own libc needs Bazel and the NDK.

BUILD ?= build
RUNNER_SOURCE := android_bench/runner
RUNNER_BUILD := $(BUILD)/runner$(if $(SANITIZE),-sanitized)$(if $(ABI),/$(ABI))
RUNNER := $(RUNNER_BUILD)/mobilekit_runner

# No -march and no date: the same sources give the same bytes, and its sha256 names what ran.
# No contraction: seeded inputs are numpy's bit for bit, also where a CPU multiplies and adds at once.
RUNNER_CXXFLAGS := -std=c++17 -O2 -Wall -Wextra -Werror -ffp-contract=off -I.
RUNNER_LDLIBS := -ldl -pthread
ifneq ($(ABI),)
ifneq ($(ABI),arm64-v8a)
$(error mobilekit: the runner is built for this computer or for ABI=arm64-v8a, not for '$(ABI)')
endif
CXX := aarch64-linux-gnu-g++
RUNNER_LDLIBS += -static-libstdc++ -static-libgcc
endif
ifneq ($(SANITIZE),)
RUNNER_CXXFLAGS += -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
endif

RUNNER_TEST_SOURCES := $(wildcard $(RUNNER_SOURCE)/*_test.cc)
RUNNER_PARTS := $(patsubst $(RUNNER_SOURCE)/%.cc,$(RUNNER_BUILD)/%.o, \
    $(filter-out %_test.cc %/main.cc,$(wildcard $(RUNNER_SOURCE)/*.cc)))
RUNNER_TESTS := $(patsubst $(RUNNER_SOURCE)/%.cc,$(RUNNER_BUILD)/%,$(RUNNER_TEST_SOURCES))

.PHONY: runner runner-test

runner: $(RUNNER)

runner-test: $(RUNNER_TESTS)
	@for test in $(RUNNER_TESTS); do $$test || { echo "$$test failed" >&2; exit 1; }; done
	@echo "mobilekit: $(words $(RUNNER_TESTS)) tests of the runner passed"

$(RUNNER): $(RUNNER_BUILD)/main.o $(RUNNER_PARTS)
	$(CXX) $(RUNNER_CXXFLAGS) $^ -o $@ $(RUNNER_LDLIBS)

$(RUNNER_TESTS): %: %.o $(RUNNER_PARTS)
	$(CXX) $(RUNNER_CXXFLAGS) $^ -o $@ $(RUNNER_LDLIBS)

$(RUNNER_BUILD)/%.o: $(RUNNER_SOURCE)/%.cc $(RUNNER_SOURCE)/runner.mk
	@mkdir -p $(RUNNER_BUILD)
	$(CXX) $(RUNNER_CXXFLAGS) -MMD -MP -c $< -o $@

.SECONDARY:
-include $(wildcard $(RUNNER_BUILD)/*.d)
