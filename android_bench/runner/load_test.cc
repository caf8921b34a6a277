#include "android_bench/runner/load.h"

#include <chrono>

#include "android_bench/runner/check.h"
#include "android_bench/runner/problem.h"

using namespace mobilekit;

namespace {

Sample Took(int64_t ns) {
  std::this_thread::sleep_for(std::chrono::microseconds(200));
  return {1, ns, 1};
}

void RunsUntilItIsStopped() {
  std::atomic<size_t> calls{0};
  Load load([&] { return Took(10 + static_cast<int64_t>(++calls)); });
  load.Start();
  CHECK(calls >= 1);
  while (calls < 5) std::this_thread::yield();
  load.Stop();
  const size_t stopped = calls;
  CHECK(load.invocations() == stopped);
  CHECK(load.median_ns() >= 13 && load.median_ns() <= 12 + static_cast<int64_t>(stopped));
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  CHECK(calls == stopped);
}

void RunsInAThreadOfItsOwn() {
  std::thread::id id;
  Load load([&] { return id = std::this_thread::get_id(), Took(1); });
  load.Start();
  load.Stop();
  CHECK(id != std::this_thread::get_id() && id != std::thread::id());
}

void SaysWhatWentWrong() {
  Load first([]() -> Sample { throw Problem("no memory"); });
  CHECK_THROWS(first.Start(), "the load: no memory");
  std::atomic<int> calls{0};
  Load later([&]() -> Sample {
    if (++calls == 3) throw Problem("it broke");
    return Took(1);
  });
  later.Start();
  while (calls < 3) std::this_thread::yield();
  CHECK_THROWS(later.Stop(), "the load: it broke");
}

void EndsWithItsObject() {
  std::atomic<int> calls{0};
  {
    Load load([&] { return ++calls, Took(1); });
    load.Start();
  }
  const int ended = calls;
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  CHECK(calls == ended);
}

void KeepsEvenlySpacedSamples() {
  Thinned few(1000), many(64);
  CHECK(few.Median() == 0);
  for (int64_t value = 1; value <= 5; ++value) few.Add(value * value);
  CHECK(few.count() == 5 && few.Median() == 9);
  for (int64_t value = 0; value < 100'000; ++value) many.Add(value);
  CHECK(many.count() == 100'000);
  CHECK(many.Median() > 45'000 && many.Median() < 55'000);
}

}  // namespace

int main() {
  RunsUntilItIsStopped();
  RunsInAThreadOfItsOwn();
  SaysWhatWentWrong();
  EndsWithItsObject();
  KeepsEvenlySpacedSamples();
  return Failures();
}
