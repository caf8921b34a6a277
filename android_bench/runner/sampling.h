// Reads the sensors between measured invocations, never inside one.

#ifndef ANDROID_BENCH_RUNNER_SAMPLING_H_
#define ANDROID_BENCH_RUNNER_SAMPLING_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "android_bench/runner/json.h"
#include "android_bench/runner/sensors.h"
#include "android_bench/runner/timing.h"

namespace mobilekit {

// Of more windows than this, every second one is dropped, and from then on they are read half as
// often: so a run of any length has some thousand of them at most.
constexpr size_t kMostWindows = 2000;

class Sampler {
 public:
  // `sensors` must outlive it; `seconds` is the least time between two readings.
  Sampler(Sensors* sensors, double seconds, Clock clock = RealClock());

  // Reads them if it is time. Of a paced run only where the slack is twice what a reading ever
  // took: a frame must not begin late because of it.
  void Between(const Moment& moment);
  // The document's "windows".
  Json Windows() const;

 private:
  struct Window {
    int64_t at_ns;
    size_t index;
    Reading reading;
  };

  Reading Read();

  Sensors* sensors_;
  Clock clock_;
  int64_t period_ns_;
  int64_t due_ns_;
  int64_t longest_ns_ = 0;  // that a reading took
  std::vector<Window> windows_;
};

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_SAMPLING_H_
