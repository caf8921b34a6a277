// The command line.

#ifndef ANDROID_BENCH_RUNNER_ARGUMENTS_H_
#define ANDROID_BENCH_RUNNER_ARGUMENTS_H_

#include <string>

#include "android_bench/runner/delegates.h"
#include "android_bench/runner/inputs.h"
#include "android_bench/runner/problem.h"
#include "android_bench/runner/shapes.h"
#include "android_bench/runner/timing.h"

namespace mobilekit {

constexpr int kExitUsage = 2;

struct Arguments {
  bool help = false;
  bool probe = false;  // say which runtime this is, run nothing
  std::string model;
  std::string library = "libLiteRt.so";  // as dlopen finds it
  std::string library_version;
  std::string context = "shell";    // or host, app
  std::string delegate = "xnnpack";  // a name of delegates.h, with or without a variant
  DelegateOptions options;
  std::string weight_cache;  // XNNPACK's file of packed weights; empty means none
  std::string libraries;     // folder of what delegates need beside the library; empty means none
  InputShapes shapes;        // of inputs whose shape is not fixed
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
