// Stacks of inputs, one a model input: out of .npy files, or seeded. One set is in memory at a time.

#ifndef ANDROID_BENCH_RUNNER_INPUTS_H_
#define ANDROID_BENCH_RUNNER_INPUTS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "android_bench/runner/model.h"
#include "android_bench/runner/npy.h"

namespace mobilekit {

struct IntegerRange {
  int64_t low;
  int64_t high;  // included
};

struct InputOptions {
  std::vector<std::string> files;  // "file.npy" in the order of the inputs, or "name=file.npy"
  uint64_t seed;
  size_t count;                       // of seeded inputs
  std::optional<IntegerRange> range;  // of seeded integers; otherwise their whole type
};

class Inputs {
 public:
  // Opens and checks the files; throws Problem.
  Inputs(const std::vector<Tensor>& tensors, const InputOptions& options);

  const char* source() const { return files_.empty() ? "seeded" : "file"; }
  size_t count() const { return count_; }
  // The `index`-th input of every stack.
  std::vector<Bytes> Read(size_t index);
  // Of each stack's values.
  std::vector<std::string> Sha256OfStacks();

 private:
  Bytes Seeded(size_t position, size_t index) const;

  const std::vector<Tensor>& tensors_;
  const InputOptions& options_;
  std::vector<std::unique_ptr<NpyReader>> files_;
  size_t count_;
};

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_INPUTS_H_
