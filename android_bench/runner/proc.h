// What Linux tells about this process and the device: memory, sensors, processor time.

#ifndef ANDROID_BENCH_RUNNER_PROC_H_
#define ANDROID_BENCH_RUNNER_PROC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "android_bench/runner/json.h"

namespace mobilekit {

// A small file's text; nothing if it cannot be read.
std::optional<std::string> ReadSmallFile(const std::string& path);
// The whole number that a file of /sys holds.
std::optional<int64_t> ReadNumber(const std::string& path);
// The same of its text.
std::optional<int64_t> NumberOf(const std::string& text);
// Names in a folder, sorted, that begin with `prefix`.
std::vector<std::string> NamesIn(const std::string& folder, const std::string& prefix);
// The processors below a folder such as /sys/devices/system/cpu, as "0", "1"...
std::vector<std::string> ProcessorsIn(const std::string& folder);
// A table of "<khz> <ticks>" lines; null if it is none.
Json TimeInState(const std::string& text);
// The number of a line such as "VmHWM:   123 kB", without its unit.
std::optional<int64_t> StatusNumber(const std::string& text, const std::string& name);

// Where the files are read; another root than "" is for tests.
class Proc {
 public:
  explicit Proc(std::string root = "") : root_(std::move(root)) {}

  // The document's "memory": peak and resident bytes of this process. What cannot be read is null,
  // and its reason is added to `unread`.
  Json Memory(Json* unread) const;
  // The document's conditions as they are now; the same.
  Json Conditions(Json* unread) const;
  // Threads of this process.
  std::optional<int64_t> Threads() const;
  // Nanoseconds that all processors were busy, or stolen by the hypervisor, since boot.
  std::optional<int64_t> MachineNs() const;

 private:
  std::string root_;
};

// Measures how busy others were: processor time of the machine beside this process.
class BusyClock {
 public:
  explicit BusyClock(const Proc& proc);

  // The share of all processors' time, from construction on, that neither this process nor idling
  // took: 0..1. Nothing where /proc/stat cannot be read.
  std::optional<double> BusyShare() const;

 private:
  const Proc& proc_;
  int64_t wall_ns_;
  int64_t own_ns_;
  std::optional<int64_t> machine_ns_;
};

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_PROC_H_
