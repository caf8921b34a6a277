// One run, as the document of docs/formats.md.

#ifndef ANDROID_BENCH_RUNNER_RUN_H_
#define ANDROID_BENCH_RUNNER_RUN_H_

#include "android_bench/runner/arguments.h"
#include "android_bench/runner/json.h"
#include "android_bench/runner/proc.h"

namespace mobilekit {

// Does what the command line says. The document has what became known even where a later step
// failed; its "error" is null where none did.
Json Run(const Arguments& arguments, const Proc& proc, const BusyClock& clock);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_RUN_H_
