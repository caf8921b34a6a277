// How often a model is invoked, and what each invocation took.

#ifndef ANDROID_BENCH_RUNNER_TIMING_H_
#define ANDROID_BENCH_RUNNER_TIMING_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "android_bench/runner/model.h"

namespace mobilekit {

struct TimingOptions {
  size_t warmup_runs;        // at least
  double warmup_min_secs;    // 0 leaves it at warmup_runs
  size_t num_runs;           // at least, unless max_secs ends them
  double min_secs;           // the measured invocations last at least that long
  double max_secs;           // and end there, after one at least
  double paced_fps;          // 0 invokes one right after the other
};

struct Timing {
  Sample first{};
  std::vector<Sample> warmup;
  std::vector<Sample> measured;
  std::optional<bool> warmup_settled;  // nothing where no warm-up by time was asked for
  size_t missed_deadlines = 0;    // of paced invocations
};

using InvokeFunction = std::function<Sample()>;

// Where a run is before a measured invocation, outside everything that is timed.
struct Moment {
  size_t index;      // of the invocation that comes next
  int64_t at_ns;     // since the first measured one was due
  int64_t slack_ns;  // until the next paced one is due; without a pace, endless
};
using BetweenFunction = std::function<void(const Moment&)>;

// The monotonic clock, in nanoseconds; another one is for tests.
struct Clock {
  std::function<int64_t()> now;
  std::function<void(int64_t)> sleep_until;
};
Clock RealClock();

// Once; then the warm-up, of warmup.h; then the measured ones, with a call of `between` before each.
// Throws Problem if there would be more of them than a document can hold.
Timing Measure(const TimingOptions& options, const InvokeFunction& invoke,
               const Clock& clock = RealClock(), const BetweenFunction& between = {});

// More measured invocations are refused: the document would be too large to bring back.
constexpr size_t kMostMeasured = 2'000'000;

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_TIMING_H_
