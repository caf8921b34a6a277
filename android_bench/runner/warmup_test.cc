#include "android_bench/runner/warmup.h"

#include <functional>

#include "android_bench/runner/check.h"
#include "android_bench/runner/stopwatch.h"

using namespace mobilekit;

namespace {

constexpr int64_t kMs = kNsPerSecond / 1000;

// What a warm-up took of invocations that last as `ns` says, by their number.
struct Outcome {
  size_t count;
  bool settled;
  int64_t ns;
};

Outcome Run(size_t least, double min_secs, const std::function<int64_t(size_t)>& ns) {
  WarmUp warm_up(least, min_secs);
  std::vector<Sample> samples;
  int64_t elapsed = 0;
  while (warm_up.More(samples, elapsed)) {
    samples.push_back({0, ns(samples.size()), 0});
    elapsed += samples.back().invoke_ns;
  }
  return {samples.size(), warm_up.settled(), elapsed};
}

}  // namespace

int main() {
  // Without a time: so many, and nobody looks whether they agree.
  CHECK(Run(7, 0, [](size_t) { return kMs; }).count == 7);
  CHECK(Run(0, 0, [](size_t) { return kMs; }).count == 0);
  // Steady from the start: as long as was asked for, at least the count.
  CHECK(Run(3, 0.5, [](size_t) { return kMs; }).count == 500);
  CHECK(Run(700, 0.5, [](size_t) { return kMs; }).count == 700);
  // Two windows are needed, of a tenth of a second at least ...
  CHECK(Run(0, 0.05, [](size_t) { return kMs; }).count == 200);
  // ... and of ten invocations.
  CHECK(Run(0, 0.5, [](size_t) { return 50 * kMs; }).count == 20);
  // A net of 5 us that jumps about by 20 %: windows of ten would hardly ever agree.
  const Outcome jumpy = Run(10, 0.5, [](size_t i) { return 4000 + int64_t(i * 7919 % 2000); });
  CHECK(jumpy.settled && jumpy.ns < kNsPerSecond * 51 / 100);
  // Faster for a second, then steady: settled after the first two windows of the same speed.
  const Outcome falling =
      Run(0, 0.5, [](size_t i) { return i < 100 ? (20 - int64_t(i) / 10) * kMs : 10 * kMs; });
  CHECK(falling.settled && falling.count > 100 && falling.count < 130);
  // Slower and slower: ten times as long, and that is said.
  const Outcome never = Run(0, 0.5, [](size_t i) { return kMs + int64_t(i) * kMs / 10; });
  CHECK(!never.settled && never.ns >= 5 * kNsPerSecond && never.ns < 6 * kNsPerSecond);
  // An even window's median is the mean of the middle two.
  const auto halves = [](size_t i) { return i < 10 ? (i < 5 ? 90 : 110) * kMs : 102 * kMs; };
  CHECK(Run(0, 2, halves).settled);
  return Failures();
}
