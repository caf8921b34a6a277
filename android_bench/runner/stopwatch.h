// The clock of every time in the document.

#ifndef ANDROID_BENCH_RUNNER_STOPWATCH_H_
#define ANDROID_BENCH_RUNNER_STOPWATCH_H_

#include <time.h>

#include <cstdint>

namespace mobilekit {

constexpr int64_t kNsPerSecond = 1'000'000'000;

// Nanoseconds of `clock`; CLOCK_MONOTONIC does not jump when somebody sets the time.
inline int64_t NowNs(clockid_t clock = CLOCK_MONOTONIC) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<int64_t>(now.tv_sec) * kNsPerSecond + now.tv_nsec;
}

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_STOPWATCH_H_
