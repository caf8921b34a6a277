// What lies beside LiteRT's library: accelerators, and the libraries of NPUs.

#ifndef ANDROID_BENCH_RUNNER_LIBRARIES_H_
#define ANDROID_BENCH_RUNNER_LIBRARIES_H_

#include <string>

namespace mobilekit {

// Starts this program anew, unless it was, so that libraries that name each other without a folder
// are found in `folder`: the loader reads LD_LIBRARY_PATH only when a process begins, and a Hexagon
// its own variable. Throws Problem if that fails.
void SearchIn(const std::string& folder, char** argv);

// The digest of a folder's files: sha256 of their names and digests, in the names' order.
std::string Sha256OfFolder(const std::string& folder);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_LIBRARIES_H_
