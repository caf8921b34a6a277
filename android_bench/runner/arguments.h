// The command line.

#ifndef ANDROID_BENCH_RUNNER_ARGUMENTS_H_
#define ANDROID_BENCH_RUNNER_ARGUMENTS_H_

#include <stdexcept>
#include <string>

#include "android_bench/runner/inputs.h"
#include "android_bench/runner/timing.h"

namespace mobilekit {

constexpr int kExitUsage = 2;

// A command line that cannot be read, as one sentence.
class UsageProblem : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Arguments {
  bool help = false;
  bool probe = false;  // say which runtime this is, run nothing
  std::string model;
  std::string library = "libLiteRt.so";  // as dlopen finds it
  std::string library_version;
  std::string context = "shell";    // or host, app
  std::string delegate = "xnnpack";  // or none: the built-in kernels
  bool require_delegate = false;
  int num_threads = 1;
  std::string affinity;   // empty leaves it as it is
  std::string signature;  // empty means the first
  std::string outputs;    // folder; empty writes none
  std::string load;       // a second model's file; empty for none
  int load_threads = 1;
  bool profile = false;         // time every operator
  double sensors_secs = 0.5;    // between two readings; 0 reads none during the run
  std::string sysfs_root;       // for tests: where /sys lies instead of below /
  double sustained_secs = 0;    // of one long run; 0 for a burst
  InputOptions inputs = {{}, 0, 16, {}};  // an output check needs 16 inputs at least
  TimingOptions timing = {10, 0.5, 50, 0, 150, 0};
};

// Throws UsageProblem.
Arguments ParseArguments(int argc, const char* const* argv);

// What --help prints.
std::string HelpText();

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_ARGUMENTS_H_
