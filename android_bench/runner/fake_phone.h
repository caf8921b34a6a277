// A phone's /proc and /sys for the unit tests: a folder of plain files.

#ifndef ANDROID_BENCH_RUNNER_FAKE_PHONE_H_
#define ANDROID_BENCH_RUNNER_FAKE_PHONE_H_

#include <sys/stat.h>

#include <fstream>
#include <string>

#include "android_bench/runner/check.h"

class FakePhone {
 public:
  FakePhone() : root_(TestFolder()) {}

  const std::string& root() const { return root_; }

  void Write(const std::string& path, const std::string& text) {
    for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
      mkdir((root_ + path.substr(0, at)).c_str(), 0777);
    }
    std::ofstream(root_ + path) << text;
  }

 private:
  std::string root_;
};

#endif  // ANDROID_BENCH_RUNNER_FAKE_PHONE_H_
