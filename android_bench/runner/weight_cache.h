// XNNPACK's file of packed weights: whether a start found it filled.

#ifndef ANDROID_BENCH_RUNNER_WEIGHT_CACHE_H_
#define ANDROID_BENCH_RUNNER_WEIGHT_CACHE_H_

#include <optional>
#include <string>
#include <tuple>

#include "android_bench/runner/json.h"

namespace mobilekit {

class WeightCache {
 public:
  // Looks at the file before the model is compiled, and makes its folder; an empty path is none.
  // Throws Problem if the folder cannot be made.
  explicit WeightCache(std::string path);

  // The document's "cache", after the model was compiled: "warm" if the file was there and is as it
  // was, "cold" if it was written, also anew over one that did not fit; null without a file, then
  // with a reason in `unread` if one was asked for.
  Json State(Json* unread) const;

 private:
  using Mark = std::tuple<uint64_t, int64_t, int64_t, int64_t>;  // inode, size, time of change

  std::optional<Mark> Look() const;

  std::string path_;
  std::optional<Mark> before_;
};

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_WEIGHT_CACHE_H_
