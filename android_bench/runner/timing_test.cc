#include "android_bench/runner/timing.h"

#include "android_bench/runner/check.h"
#include "android_bench/runner/stopwatch.h"

using namespace mobilekit;

namespace {

// Takes `us` microseconds, and says so.
Sample Spin(int64_t us) {
  const int64_t start = NowNs();
  while (NowNs() - start < us * 1000) {
  }
  return {0, us * 1000, 0};
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
  const Timing least = Measure({0, 0, 1, 0.02, 100, 0}, [] { return Spin(1000); });
  CHECK(least.measured.size() >= 10 && least.measured.size() <= 21);
  const Timing most = Measure({0, 0, 1000, 0, 0.02, 0}, [] { return Spin(1000); });
  CHECK(!most.measured.empty() && most.measured.size() <= 21);
  const Timing one = Measure({0, 0, 1000, 0, 0, 0}, [] { return Spin(10); });
  CHECK(one.measured.size() == 1);
}

void WarmsUpUntilItSettles() {
  int64_t us = 4000;  // becomes faster for ten calls, then stays
  const Timing settled = Measure({0, 0.01, 1, 0, 100, 0}, [&] {
    us = us > 400 ? us - 360 : 400;
    return Spin(us);
  });
  CHECK(settled.warmup_settled);
  CHECK(settled.warmup.size() >= 20);
  const Timing never = Measure({0, 0.002, 1, 0, 100, 0}, [] {
    static int call = 0;
    return Spin(++call * 20);
  });
  CHECK(!never.warmup_settled);
}

void Settles() {
  CHECK(!IsSettled(Samples({100})));
  CHECK(IsSettled(Samples({1000, 1010})));
  CHECK(!IsSettled(Samples({1000, 1100})));
  CHECK(IsSettled(Samples({5000, 1000, 990})));
}

void Paces() {
  const int64_t start = NowNs();
  const Timing easy = Measure({0, 0, 5, 0, 100, 100}, [] { return Spin(100); });
  CHECK(NowNs() - start >= 40'000'000);  // five frames of 10 ms begin at 0, 10, 20, 30, 40
  CHECK(easy.measured.size() == 5);
  const Timing hard = Measure({0, 0, 5, 0, 100, 1000}, [] { return Spin(1500); });
  CHECK(hard.missed_deadlines == 5);
}

}  // namespace

int main() {
  Counts();
  Lasts();
  WarmsUpUntilItSettles();
  Settles();
  Paces();
  return Failures();
}
