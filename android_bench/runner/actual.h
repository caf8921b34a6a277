// What became of the delegate that was asked for: the document's "actual".

#ifndef ANDROID_BENCH_RUNNER_ACTUAL_H_
#define ANDROID_BENCH_RUNNER_ACTUAL_H_

#include <vector>

#include "android_bench/runner/arguments.h"
#include "android_bench/runner/json.h"
#include "android_bench/runner/model.h"

namespace mobilekit {

// What the measured model was made of.
struct Measured {
  const RuntimeEnvironment& environment;
  const Arguments& arguments;
  const CompileOptions& options;
  const std::vector<Bytes>& values;  // its inputs
};

// Fills the document's "actual", after everything was measured. What is not known is null and gets
// its reason in "unread"; with --require-delegate, a node that was not taken is the document's
// error, and so is not to know.
void FillActual(const Measured& measured, const Model& model, Json* document);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_ACTUAL_H_
