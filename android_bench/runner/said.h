// What is said on standard error meanwhile, e.g. by a GPU's accelerator, which tells nowhere else
// which GPU it chose.

#ifndef ANDROID_BENCH_RUNNER_SAID_H_
#define ANDROID_BENCH_RUNNER_SAID_H_

#include <optional>
#include <string>

namespace mobilekit {

// Keeps what this process writes to standard error, until it is asked; then it goes where it would
// have gone. Where that cannot be done, nothing is kept and nothing is lost.
class Listening {
 public:
  Listening();
  ~Listening();
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  // All of it, once; the first megabyte of more.
  std::string Stop();

 private:
  int kept_ = -1;    // an unnamed file in memory
  int usual_ = -1;   // where standard error went before
};

// The hardware that an accelerator says it chose: a GPU's line behind "Selected adapter: ", or
// "OpenVINO device CPU".
std::optional<std::string> HardwareOf(const std::string& said);

// The last line that tells of an error, without its place in the sources; empty if there is none.
std::string ErrorOf(const std::string& said);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_SAID_H_
