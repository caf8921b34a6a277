// A document even when the runtime crashes: a model whose bytes are in order may still lie to a kernel.

#ifndef ANDROID_BENCH_RUNNER_CRASH_H_
#define ANDROID_BENCH_RUNNER_CRASH_H_

#include <string>

namespace mobilekit {

constexpr int kExitError = 5;  // the document's "error" says what happened

// From now on a crash prints `before`, the signal's name, `after` and a new line on standard
// output, and ends the process with kExitError. Under a sanitizer this does nothing: its own report
// says more.
void PrintOnCrash(std::string before, std::string after);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_CRASH_H_
