// The timed part of a run, with what runs beside it and between its invocations.

#ifndef ANDROID_BENCH_RUNNER_TIMED_H_
#define ANDROID_BENCH_RUNNER_TIMED_H_

#include <vector>

#include "android_bench/runner/arguments.h"
#include "android_bench/runner/json.h"
#include "android_bench/runner/load.h"
#include "android_bench/runner/model.h"
#include "android_bench/runner/timing.h"

namespace mobilekit {

// Runs `model` as often as `arguments` say: under the profiler, if it was compiled with it; beside
// `beside`, where that is not null; with the sensors read in between. Fills the document's
// "profile", "load" and "windows", and `outputs` with those of the last invocation. Throws Problem.
Timing RunTimed(const Arguments& arguments, const std::vector<Bytes>& values, Model* model,
                LoadModel* beside, std::vector<Bytes>* outputs, Json* document);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_TIMED_H_
