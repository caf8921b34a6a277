// When a warm-up is over. litert_python_program.py has the same rule and figures.

#ifndef ANDROID_BENCH_RUNNER_WARMUP_H_
#define ANDROID_BENCH_RUNNER_WARMUP_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "android_bench/runner/model.h"

namespace mobilekit {

// `count` invocations at least, and with `min_secs` until that time is over and the medians of the
// last two windows differ by at most 2 %, bounded by ten times that time.
//
// A window is 10 invocations and a tenth of a second at least: a net of some microseconds would
// otherwise never settle. Windows follow one another; one that is over is looked at once.
class WarmUp {
 public:
  WarmUp(size_t count, double min_secs) : count_(count), min_secs_(min_secs) {}

  // Whether there is more to do, after `samples` in `elapsed_ns`; to be asked before each of them.
  bool More(const std::vector<Sample>& samples, int64_t elapsed_ns);
  // Whether the last two windows agreed.
  bool settled() const;

 private:
  size_t count_;
  double min_secs_;
  size_t begin_ = 0;  // of the window that is open
  int64_t begin_ns_ = 0;
  std::vector<double> medians_;
};

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_WARMUP_H_
