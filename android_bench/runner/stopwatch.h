// The clock of every time in the document.

#ifndef ANDROID_BENCH_RUNNER_STOPWATCH_H_
#define ANDROID_BENCH_RUNNER_STOPWATCH_H_

#include <time.h>

#include <algorithm>
#include <cstdint>

namespace mobilekit {

constexpr int64_t kNsPerSecond = 1'000'000'000;

// Nanoseconds of `clock`; CLOCK_MONOTONIC does not jump when somebody sets the time.
inline int64_t NowNs(clockid_t clock = CLOCK_MONOTONIC) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<int64_t>(now.tv_sec) * kNsPerSecond + now.tv_nsec;
}

// The smallest step between successive readings of the clock; 0 if it never moved.
inline int64_t ClockResolutionNs() {
  int64_t smallest = 0;
  int64_t earlier = NowNs();
  for (int reading = 0; reading < 1000; ++reading) {
    const int64_t now = NowNs();
    const int64_t step = now - earlier;
    if (step > 0) smallest = smallest == 0 ? step : std::min(smallest, step);
    earlier = now;
  }
  return smallest;
}

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_STOPWATCH_H_
