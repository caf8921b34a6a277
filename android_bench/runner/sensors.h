// Sensors that are read again and again during a run: their files are found once and stay open.

#ifndef ANDROID_BENCH_RUNNER_SENSORS_H_
#define ANDROID_BENCH_RUNNER_SENSORS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "android_bench/runner/json.h"

namespace mobilekit {

// A small file of /sys, kept open. Opened again if it cannot be read any more: that of a processor
// that was off goes with it and comes back as another.
class KeptFile {
 public:
  explicit KeptFile(std::string path);
  ~KeptFile();
  KeptFile(KeptFile&& other) noexcept;
  KeptFile& operator=(KeptFile&&) = delete;

  std::optional<std::string> Read();
  std::optional<int64_t> Number();

 private:
  std::optional<std::string> ReadOnce() const;

  std::string path_;
  int handle_;
};

// A thermal zone's m°C. Kernels of phones write some zones in °C; a zone without a sensor says what
// no silicon survives, and is nothing here.
std::optional<int64_t> ZoneMc(std::optional<int64_t> value);

// What was read at one moment; still as the kernel writes it, since the run goes on.
struct Reading {
  std::optional<int64_t> temperature_mc;          // of the hottest zone
  std::vector<std::optional<int64_t>> khz;        // of each clock
  std::vector<std::optional<std::string>> states;  // of each clock
  std::optional<int64_t> battery_ua;
  std::optional<int64_t> plugged;
};

class Sensors {
 public:
  // Looks what can be read below `root`, which is "" but for tests.
  explicit Sensors(const std::string& root);

  // Whether there is anything.
  bool any() const;
  Reading Read();
  // The document's conditions, without those that are not known. Of processors that share a clock,
  // only the first one stands in it.
  Json Conditions(const Reading& reading) const;

 private:
  struct Clocked {
    std::string processor;
    KeptFile khz;
    KeptFile states;
  };
  std::vector<KeptFile> zones_;
  std::vector<Clocked> clocks_;
  std::vector<KeptFile> battery_;  // one, or none
  std::vector<KeptFile> supplies_;
};

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_SENSORS_H_
