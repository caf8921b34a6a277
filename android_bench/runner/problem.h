// What stops a run, as the sentence of the document's "error"; or of a command line.

#ifndef ANDROID_BENCH_RUNNER_PROBLEM_H_
#define ANDROID_BENCH_RUNNER_PROBLEM_H_

#include <stdexcept>

namespace mobilekit {

class Problem : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A command line that cannot be read, as one sentence.
class UsageProblem : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_PROBLEM_H_
