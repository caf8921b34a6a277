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

void Counts() {
  int calls = 0;
  const Timing timing =
      Measure({3, 0, 5, 0, 100, 0}, [&] { return Sample{1, ++calls * 10, 2}; });
  CHECK(calls == 9);
  CHECK(timing.first.total_ns() == 13);
  CHECK(timing.warmup.size() == 3 && timing.measured.size() == 5);
  CHECK(timing.measured[4].invoke_ns == 90);
  CHECK(!timing.warmup_settled.has_value());
}

void Lasts() {
  FakeTime least, most, one;
  CHECK(Run({0, 0, 1, 0.02, 100, 0}, &least, kMs).measured.size() == 20);
  CHECK(Run({0, 0, 1000, 0, 0.02, 0}, &most, kMs).measured.size() == 20);
  CHECK(Run({0, 0, 1000, 5, 0, 0}, &one, kMs).measured.size() == 1);
}

void WarmsUpUntilItSettles() {
  FakeTime steady, rising;
  Timing timing = Run({3, 0.5, 1, 0, 100, 0}, &steady, kMs);
  CHECK(timing.warmup.size() == 500 && timing.warmup_settled == true);
  timing = Measure({0, 0.5, 1, 0, 100, 0}, [&] { return rising.Invoke(rising.calls() * kMs / 10); },
                   rising.clock());
  CHECK(timing.warmup_settled == false);
  CHECK(rising.now() >= 12 * kNsPerSecond && rising.now() < 13 * kNsPerSecond);
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

void TellsWhereItIsBeforeEveryMeasuredInvocation() {
  FakeTime free, paced;
  std::vector<Moment> moments;
  const auto keep = [&](const Moment& moment) { moments.push_back(moment); };
  Measure({2, 0, 3, 0, 100, 0}, [&] { return free.Invoke(kMs); }, free.clock(), keep);
  CHECK(moments.size() == 3);
  CHECK(moments[0].index == 0 && moments[0].at_ns == 0);
  CHECK(moments[2].index == 2 && moments[2].at_ns == 2 * kMs);
  CHECK(moments[2].slack_ns > kNsPerSecond * 86'400);
  moments.clear();
  Measure({0, 0, 3, 0, 100, 100}, [&] { return paced.Invoke(kMs); }, paced.clock(), keep);
  CHECK(moments[0].slack_ns == 0 && moments[2].slack_ns == 9 * kMs);
}

void RefusesMoreThanADocumentHolds() {
  FakeTime hours, none, held_up, faster, paced, limited;
  const char* refusal = "more than 2000000 measured invocations cannot be kept";
  // Known after a second of an hour, with a warm-up or without.
  CHECK_THROWS(Run({3, 0, 1, 3600, 3600, 0}, &hours, kMs), refusal);
  CHECK(hours.calls() == 1 + 3 + 1024);
  CHECK_THROWS(Run({0, 0, 1, 3600, 3600, 0}, &none, kMs), refusal);
  CHECK(none.calls() == 1 + 1024);
  // Something held the warm-up's last one up for a second, and the first measured one for another.
  CHECK_THROWS(Measure({10, 0, 1, 60, 60, 0},
                       [&] {
                         const bool held = held_up.calls() == 10 || held_up.calls() == 11;
                         return held_up.Invoke(held ? kNsPerSecond : kMs / 1000);
                       },
                       held_up.clock()),
               refusal);
  CHECK(held_up.calls() < 40'000);
  // From the fifth second of a minute on, ten times as fast.
  CHECK_THROWS(Measure({0, 0, 1, 60, 60, 0},
                       [&] { return faster.Invoke(kMs / (faster.calls() < 50'000 ? 10 : 100)); },
                       faster.clock()),
               refusal);
  CHECK(faster.calls() < 600'000);
  // A minute of a pace that is slow enough may go on; so may a limit that ends it before.
  CHECK(Run({3, 0, 1, 60, 60, 10}, &paced, kMs).measured.size() == 601);
  CHECK(Run({3, 0, 1, 3600, 60, 0}, &limited, kMs).measured.size() == 60'000);
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
  Paces();
  TellsWhereItIsBeforeEveryMeasuredInvocation();
  RefusesMoreThanADocumentHolds();
  TheRealClockMoves();
  return Failures();
}
