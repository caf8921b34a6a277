#include "android_bench/runner/sensors.h"

#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <memory>
#include <set>
#include <utility>

#include "android_bench/runner/proc.h"

namespace mobilekit {
namespace {

constexpr size_t kPageBytes = 4096;  // the most that a file of /sys has
constexpr int64_t kColdestMc = -40'000, kHottestMc = 150'000;
constexpr size_t kMostZones = 128;   // a phone has some 90; every one is an open file

// The folder that `path` leads to: processors that share a clock have links to one folder.
std::string RealPath(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(realpath(path.c_str(), nullptr), std::free);
  return real ? real.get() : path;
}

bool Add(const std::string& path, std::vector<KeptFile>* files) {
  KeptFile file(path);
  if (!file.Number()) return false;
  files->push_back(std::move(file));
  return true;
}

}  // namespace

KeptFile::KeptFile(std::string path)
    : path_(std::move(path)), handle_(open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {}

KeptFile::~KeptFile() {
  if (handle_ >= 0) close(handle_);
}

KeptFile::KeptFile(KeptFile&& other) noexcept
    : path_(std::move(other.path_)), handle_(std::exchange(other.handle_, -1)) {}

std::optional<std::string> KeptFile::ReadOnce() const {
  char text[kPageBytes];
  if (handle_ < 0) return std::nullopt;
  const ssize_t size = pread(handle_, text, sizeof(text), 0);
  if (size <= 0) return std::nullopt;
  return std::string(text, static_cast<size_t>(size));
}

std::optional<std::string> KeptFile::Read() {
  std::optional<std::string> text = ReadOnce();
  if (text) return text;
  if (handle_ >= 0) close(handle_);
  handle_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  return ReadOnce();
}

std::optional<int64_t> KeptFile::Number() {
  const std::optional<std::string> text = Read();
  return text ? NumberOf(*text) : std::nullopt;
}

std::optional<int64_t> ZoneMc(std::optional<int64_t> value) {
  if (!value) return std::nullopt;
  const int64_t mc = std::abs(*value) < 1000 ? *value * 1000 : *value;
  return mc < kColdestMc || mc > kHottestMc ? std::nullopt : std::optional(mc);
}

Sensors::Sensors(const std::string& root) {
  const std::string thermal = root + "/sys/class/thermal/";
  for (const std::string& zone : NamesIn(thermal, "thermal_zone")) {
    if (zones_.size() < kMostZones) Add(thermal + zone + "/temp", &zones_);
  }
  const std::string power = root + "/sys/class/power_supply/";
  for (const std::string& supply : NamesIn(power, "")) {
    if (battery_.empty()) Add(power + supply + "/current_now", &battery_);
    Add(power + supply + "/online", &supplies_);
  }
  const std::string cpus = root + "/sys/devices/system/cpu/";
  std::set<std::string> seen;
  for (const std::string& number : ProcessorsIn(cpus)) {
    const std::string folder = cpus + "cpu" + number + "/cpufreq";
    if (!seen.insert(RealPath(folder)).second) continue;
    Clocked clock = {number, KeptFile(folder + "/scaling_cur_freq"),
                     KeptFile(folder + "/stats/time_in_state")};
    if (clock.khz.Number() || clock.states.Read()) clocks_.push_back(std::move(clock));
  }
}

bool Sensors::any() const {
  return !(zones_.empty() && clocks_.empty() && battery_.empty() && supplies_.empty());
}

Reading Sensors::Read() {
  Reading reading;
  for (KeptFile& zone : zones_) {
    const std::optional<int64_t> value = ZoneMc(zone.Number());
    if (value && (!reading.temperature_mc || *value > *reading.temperature_mc)) {
      reading.temperature_mc = value;
    }
  }
  for (Clocked& clock : clocks_) {
    reading.khz.push_back(clock.khz.Number());
    reading.states.push_back(clock.states.Read());
  }
  for (KeptFile& battery : battery_) reading.battery_ua = battery.Number();
  for (KeptFile& supply : supplies_) {
    const std::optional<int64_t> online = supply.Number();
    if (online) reading.plugged = reading.plugged.value_or(0) | (*online != 0);
  }
  return reading;
}

Json Sensors::Conditions(const Reading& reading) const {
  Json conditions = Json::Object(), khz = Json::Object(), states = Json::Object();
  for (size_t i = 0; i < clocks_.size(); ++i) {
    if (reading.khz[i]) khz[clocks_[i].processor] = *reading.khz[i];
    Json table = reading.states[i] ? TimeInState(*reading.states[i]) : Json();
    if (!table.empty()) states[clocks_[i].processor] = std::move(table);
  }
  if (reading.temperature_mc) {
    conditions["temperature_c"] = static_cast<double>(*reading.temperature_mc) / 1000;
  }
  if (!khz.empty()) conditions["frequencies_khz"] = std::move(khz);
  if (!states.empty()) conditions["time_in_state"] = std::move(states);
  if (reading.battery_ua) conditions["battery_ua"] = *reading.battery_ua;
  if (reading.plugged) conditions["plugged"] = *reading.plugged != 0;
  return conditions;
}

}  // namespace mobilekit
