// A second model that runs in a thread of its own, one invocation after the other, beside the one
// that is measured.

#ifndef ANDROID_BENCH_RUNNER_LOAD_H_
#define ANDROID_BENCH_RUNNER_LOAD_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "android_bench/runner/inputs.h"
#include "android_bench/runner/json.h"
#include "android_bench/runner/model.h"
#include "android_bench/runner/timing.h"

namespace mobilekit {

// Samples of a series that has no end: when they are too many, every second one is dropped, and of
// what comes only every second, fourth... is taken.
class Thinned {
 public:
  explicit Thinned(size_t most) : most_(most) {}

  void Add(int64_t value);
  size_t count() const { return count_; }  // of all that were added
  int64_t Median() const;                  // of those that were kept; 0 of none

 private:
  size_t most_;
  size_t stride_ = 1;
  size_t count_ = 0;
  std::vector<int64_t> kept_;
};

class Load {
 public:
  // `invoke` is called in the load's thread alone.
  explicit Load(InvokeFunction invoke);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Starts the thread; returns when its first invocation is over. Throws Problem if that failed.
  void Start();
  // Lets the invocation that runs end, and ends the thread. Throws Problem if any failed.
  void Stop();

  // After Stop(): of all invocations.
  size_t invocations() const { return totals_.count(); }
  int64_t median_ns() const { return totals_.Median(); }

 private:
  void Run();
  void Join();

  InvokeFunction invoke_;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable ran_;
  bool began_ = false;    // the first invocation is over; with mutex_
  std::string problem_;   // with mutex_
  Thinned totals_;        // the thread's, until it has ended
};

// The model of a load: compiled by itself, with XNNPACK, and given one seeded input.
class LoadModel {
 public:
  // Checks and compiles the file at `path`; throws Problem.
  LoadModel(const litert::Api& api, const std::string& path, int num_threads);

  Load& load() { return load_; }
  // The document's "load", after load().Stop().
  Json Report() const;

 private:
  std::string sha256_;
  InputOptions options_;
  RuntimeEnvironment environment_;
  Model model_;
  std::vector<Bytes> values_;
  std::vector<Bytes> outputs_;
  Load load_;  // last: its thread ends before what it uses
};

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_LOAD_H_
