// Folders: making them, and what lies in them.

#ifndef ANDROID_BENCH_RUNNER_FOLDERS_H_
#define ANDROID_BENCH_RUNNER_FOLDERS_H_

#include <string>
#include <vector>

namespace mobilekit {

// Makes a folder and those above it; throws Problem.
void MakeFolders(const std::string& path);

// The names of the files there, sorted; throws Problem.
std::vector<std::string> FilesIn(const std::string& folder);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_FOLDERS_H_
