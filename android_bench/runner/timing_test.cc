#include "android_bench/runner/timing.h"

#include <algorithm>

#include "android_bench/runner/check.h"
#include "android_bench/runner/stopwatch.h"

using namespace mobilekit;

namespace {

constexpr int64_t kMs = 1'000'000;

// A clock that moves only when something is invoked, or waited for.
class FakeTime {
 public:
  Clock clock() {
    return {[this] { return now_; }, [this](int64_t at) { now_ = std::max(now_, at); }};
  }
  Sample Invoke(int64_t ns) {
    now_ += ns;
    ++calls_;
    return {0, ns, 0};
  }
  int64_t now() const { return now_; }
  int calls() const { return calls_; }

 private:
  int64_t now_ = 7 * kNsPerSecond;
  int calls_ = 0;
};

Timing Run(const TimingOptions& options, FakeTime* time, int64_t ns) {
  return Measure(options, [=] { return time->Invoke(ns); }, time->clock());
}

std::vector<Sample> Samples(std::initializer_list<int64_t> windows) {
  std::vector<Sample> samples;
  for (const int64_t ns : windows) samples.insert(samples.end(), 10, Sample{1, ns, 1});
  return samples;
}

void Counts() {
  int calls = 0;
  const Timing timing =
      Measure({3, 0, 5, 0, 100, 0}, [&] { return Sample{1, ++calls * 10, 2}; });
  CHECK(calls == 9);
  CHECK(timing.first.total_ns() == 13);
  CHECK(timing.warmup.size() == 3 && timing.measured.size() == 5);
  CHECK(timing.measured[4].invoke_ns == 90);
  CHECK(timing.warmup_settled);
}

void Lasts() {
  FakeTime least, most, one;
  CHECK(Run({0, 0, 1, 0.02, 100, 0}, &least, kMs).measured.size() == 20);
  CHECK(Run({0, 0, 1000, 0, 0.02, 0}, &most, kMs).measured.size() == 20);
  CHECK(Run({0, 0, 1000, 5, 0, 0}, &one, kMs).measured.size() == 1);
}

void WarmsUpUntilItSettles() {
  FakeTime steady, falling, rising;
  // Steady from the start: as long as was asked for.
  CHECK(Run({3, 0.05, 1, 0, 100, 0}, &steady, kMs).warmup.size() == 50);
  // Becomes faster for thirty calls, then stays: until two windows are alike.
  const Timing settled = Measure(
      {0, 0.05, 1, 0, 100, 0},
      [&] { return falling.Invoke(falling.calls() < 30 ? 4 * kMs - falling.calls() * kMs / 10 : kMs); },
      falling.clock());
  CHECK(settled.warmup_settled);
  CHECK(settled.warmup.size() > 40 && settled.warmup.size() < 50);
  // Becomes slower and slower: ten times as long, and that is said.
  const Timing never = Measure(
      {0, 0.05, 1, 0, 100, 0}, [&] { return rising.Invoke(rising.calls() * kMs / 10); },
      rising.clock());
  CHECK(!never.warmup_settled);
  CHECK(rising.now() > 7 * kNsPerSecond + 500 * kMs && rising.now() < 8 * kNsPerSecond);
}

void Settles() {
  CHECK(!IsSettled(Samples({100})));
  CHECK(IsSettled(Samples({1000, 1010})));
  CHECK(!IsSettled(Samples({1000, 1100})));
  CHECK(IsSettled(Samples({5000, 1000, 990})));
}

void Paces() {
  FakeTime easy, hard, late;
  // Five frames of 10 ms begin at 0, 10, 20, 30, 40; the one before is not paced.
  Timing timing = Run({0, 0, 5, 0, 100, 100}, &easy, kMs);
  CHECK(easy.now() == 7 * kNsPerSecond + 42 * kMs);
  CHECK(timing.measured.size() == 5 && timing.missed_deadlines == 0);
  timing = Run({0, 0, 5, 0, 100, 1000}, &hard, kMs * 3 / 2);
  CHECK(timing.missed_deadlines == 5);
  // A frame that took 25 ms: of the two that came meanwhile, the newer begins at once.
  timing = Measure(
      {0, 0, 3, 0, 100, 100},
      [&] { return late.Invoke(late.calls() == 1 ? 25 * kMs : kMs); }, late.clock());
  CHECK(timing.missed_deadlines == 1);
  CHECK(late.now() == 7 * kNsPerSecond + 32 * kMs);
}

void TheRealClockMoves() {
  const Clock clock = RealClock();
  const int64_t start = clock.now();
  clock.sleep_until(start + 2 * kMs);
  CHECK(clock.now() >= start + 2 * kMs);
  CHECK(ClockResolutionNs() > 0 && ClockResolutionNs() < kMs);
}

}  // namespace

int main() {
  Counts();
  Lasts();
  WarmsUpUntilItSettles();
  Settles();
  Paces();
  TheRealClockMoves();
  return Failures();
}
