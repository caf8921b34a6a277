#include "android_bench/runner/timing.h"

#include <time.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>

#include "android_bench/runner/problem.h"
#include "android_bench/runner/stopwatch.h"
#include "android_bench/runner/warmup.h"

namespace mobilekit {
namespace {

constexpr size_t kFirstReckoned = 1024;  // so many measured invocations tell their pace
constexpr double kMargin = 0.9;          // invocations may get faster after they were reckoned
constexpr size_t kMostReserved = 100'000;
constexpr int64_t kNoPace = std::numeric_limits<int64_t>::max();

int64_t NsOf(double seconds) { return static_cast<int64_t>(seconds * kNsPerSecond); }

void SleepUntil(int64_t at_ns) {
  timespec at{};
  at.tv_sec = static_cast<time_t>(at_ns / kNsPerSecond);
  at.tv_nsec = static_cast<long>(at_ns % kNsPerSecond);
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
  }
}

// Before hours are spent: whether all that come can be kept. Their own pace tells it, not that of
// the warm-up, of which there may be none and whose few may have been held up. It is looked at again
// whenever their number has doubled, so a pace that rises is noticed as well.
void CheckTheirNumber(const TimingOptions& options, size_t count, int64_t elapsed_ns) {
  const double most = static_cast<double>(kMostMeasured);
  double expected = static_cast<double>(count);
  if (count >= kFirstReckoned && (count & (count - 1)) == 0) {
    const double least_ns = static_cast<double>(NsOf(std::min(options.min_secs, options.max_secs)));
    expected *= std::max(1.0, least_ns / static_cast<double>(std::max(elapsed_ns, int64_t{1})));
    expected /= kMargin;
  }
  if (expected < most) return;
  throw Problem("more than " + std::to_string(kMostMeasured) +
                " measured invocations cannot be kept, and so many would come; measure for a"
                " shorter time, or pace them");
}

}  // namespace

Clock RealClock() {
  return {[] { return NowNs(); }, SleepUntil};
}

Timing Measure(const TimingOptions& options, const InvokeFunction& invoke, const Clock& clock,
               const BetweenFunction& between) {
  Timing timing;
  timing.measured.reserve(std::min(options.num_runs, kMostReserved));
  timing.first = invoke();
  WarmUp warm_up(options.warmup_runs, options.warmup_min_secs);
  const int64_t warm_up_start = clock.now();
  while (warm_up.More(timing.warmup, clock.now() - warm_up_start)) {
    timing.warmup.push_back(invoke());
  }
  if (options.warmup_min_secs > 0) timing.warmup_settled = warm_up.settled();
  const int64_t period = options.paced_fps > 0 ? NsOf(1 / options.paced_fps) : 0;
  const int64_t start = clock.now();
  int64_t due = start;
  for (int64_t now = start; timing.measured.empty() ||
                            ((timing.measured.size() < options.num_runs ||
                              now < start + NsOf(options.min_secs)) &&
                             now < start + NsOf(options.max_secs));
       now = clock.now()) {
    CheckTheirNumber(options, timing.measured.size(), now - start);
    if (between) {
      between({timing.measured.size(), now - start, period > 0 ? due - now : kNoPace});
    }
    if (period > 0) clock.sleep_until(due);
    timing.measured.push_back(invoke());
    if (period == 0) continue;
    due += period;
    const int64_t end = clock.now();
    if (end > due) {
      ++timing.missed_deadlines;
      due += (end - due) / period * period;  // of those that came meanwhile, the newest
    }
  }
  return timing;
}

}  // namespace mobilekit
