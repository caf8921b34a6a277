// Which processors this process may use.

#ifndef ANDROID_BENCH_RUNNER_AFFINITY_H_
#define ANDROID_BENCH_RUNNER_AFFINITY_H_

#include <string>
#include <vector>

namespace mobilekit {

// The processors that `text` names: "big" or "little", those with the highest or lowest maximum
// frequency under `root`/sys, or a mask of hexadecimal digits, bit 0 for processor 0.
// Throws Problem if there are none, or no two kinds to tell apart.
std::vector<int> ProcessorsOf(const std::string& text, const std::string& root = "");

// Holds this process, and every thread that it starts, to them. Throws Problem.
void SetAffinity(const std::vector<int>& processors);

// Those that it may use now.
std::vector<int> AllowedProcessors();

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_AFFINITY_H_
