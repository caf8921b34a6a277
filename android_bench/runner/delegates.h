// The delegates that this program applies, their options, and what LiteRT must be told for them.

#ifndef ANDROID_BENCH_RUNNER_DELEGATES_H_
#define ANDROID_BENCH_RUNNER_DELEGATES_H_

#include <map>
#include <string>

namespace mobilekit {

struct DelegateKind {
  const char* name;
  int accelerators;        // LiteRT's bits; those beside the CPU's come out of a library
  const char* identifier;  // under which LiteRT looks for its options
  const char* library;     // what must lie beside libLiteRt.so; empty where nothing must
};

// By name, whatever variant stands behind an "@". Throws UsageProblem with the names that exist.
const DelegateKind& FindDelegate(const std::string& name);

// The names, with commas between.
std::string DelegateNames();

using DelegateOptions = std::map<std::string, std::string>;

// The options as LiteRT reads them: lines of TOML. Throws UsageProblem for an option that the
// delegate does not have, or a value that the option does not take, with what exists.
std::string TextOf(const DelegateKind& kind, const DelegateOptions& options);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_DELEGATES_H_
