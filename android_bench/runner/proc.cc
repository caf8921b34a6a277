#include "android_bench/runner/proc.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <vector>

#include "android_bench/runner/stopwatch.h"

namespace mobilekit {
namespace {

constexpr size_t kMostBytes = 1 << 20;

void Note(Json* unread, const std::string& field, const char* reason) { (*unread)[field] = reason; }

}  // namespace

std::optional<std::string> ReadSmallFile(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (file == nullptr) return std::nullopt;
  std::string text;
  char block[4096];
  while (const size_t size = std::fread(block, 1, sizeof(block), file.get())) {
    text.append(block, size);
    if (text.size() > kMostBytes) return std::nullopt;
  }
  if (std::ferror(file.get())) return std::nullopt;
  return text;
}

std::optional<int64_t> ReadNumber(const std::string& path) {
  const std::optional<std::string> text = ReadSmallFile(path);
  return text ? NumberOf(*text) : std::nullopt;
}

std::optional<int64_t> NumberOf(const std::string& text) {
  char* end = nullptr;
  errno = 0;
  const long long value = std::strtoll(text.c_str(), &end, 10);
  if (end == text.c_str() || errno != 0) return std::nullopt;
  while (*end == '\n' || *end == ' ') ++end;
  if (*end != 0) return std::nullopt;
  return value;
}

std::vector<std::string> NamesIn(const std::string& folder, const std::string& prefix) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(folder.c_str()), closedir);
  if (open == nullptr) return names;
  while (const dirent* entry = readdir(open.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != ".." && name.compare(0, prefix.size(), prefix) == 0) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> ProcessorsIn(const std::string& folder) {
  std::vector<std::string> numbers;
  for (const std::string& name : NamesIn(folder, "cpu")) {
    const std::string number = name.substr(3);
    const bool digits = number.find_first_not_of("0123456789") == std::string::npos;
    if (!number.empty() && digits) numbers.push_back(number);
  }
  return numbers;
}

Json TimeInState(const std::string& text) {
  Json states = Json::Object();
  std::istringstream lines(text);
  int64_t khz = 0, ticks = 0;
  while (lines >> khz >> ticks) states[std::to_string(khz)] = ticks;
  return lines.eof() && !states.empty() ? states : Json();
}

std::optional<int64_t> StatusNumber(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.compare(0, name.size() + 1, name + ":") != 0) continue;
    std::istringstream rest(line.substr(name.size() + 1));
    int64_t value = 0;
    if (rest >> value) return value;
  }
  return std::nullopt;
}

Json Proc::Memory(Json* unread) const {
  const std::string status = ReadSmallFile(root_ + "/proc/self/status").value_or("");
  const std::string rollup = ReadSmallFile(root_ + "/proc/self/smaps_rollup").value_or("");
  Json memory = Json::Object();
  const struct {
    const char* field;
    const char* name;
  } rows[] = {{"vm_hwm_bytes", "VmHWM"}, {"rss_anon_bytes", "RssAnon"}, {"rss_file_bytes", "RssFile"}};
  for (const auto& row : rows) {
    std::optional<int64_t> kilobytes = StatusNumber(status, row.name);
    if (row.name == std::string("RssAnon") && !kilobytes) {
      kilobytes = StatusNumber(rollup, "Anonymous");  // kernels before 4.5 with a backport
    }
    if (kilobytes) {
      memory[row.field] = *kilobytes * 1024;
    } else {
      memory[row.field] = nullptr;
      Note(unread, std::string("memory.") + row.field, "/proc/self/status does not have it");
    }
  }
  memory["delegate_bytes"] = nullptr;
  Note(unread, "memory.delegate_bytes", "LiteRT's C API does not say");
  return memory;
}

Json Proc::Conditions(Json* unread) const {
  std::optional<int64_t> hottest, drawn, plugged;
  const std::string thermal = root_ + "/sys/class/thermal/";
  for (const std::string& zone : NamesIn(thermal, "thermal_zone")) {
    const std::optional<int64_t> value = ReadNumber(thermal + zone + "/temp");
    if (value && (!hottest || *value > *hottest)) hottest = value;
  }
  const std::string power = root_ + "/sys/class/power_supply/";
  for (const std::string& supply : NamesIn(power, "")) {
    if (!drawn) drawn = ReadNumber(power + supply + "/current_now");
    const std::optional<int64_t> online = ReadNumber(power + supply + "/online");
    if (online) plugged = plugged.value_or(0) | (*online != 0);
  }
  Json frequencies = Json::Object(), states = Json::Object();
  const std::string cpus = root_ + "/sys/devices/system/cpu/";
  for (const std::string& number : ProcessorsIn(cpus)) {
    const std::string folder = cpus + "cpu" + number + "/cpufreq/";
    const std::optional<int64_t> khz = ReadNumber(folder + "scaling_cur_freq");
    if (khz) frequencies[number] = *khz;
    const auto text = ReadSmallFile(folder + "stats/time_in_state");
    if (text) {
      Json table = TimeInState(*text);
      if (!table.empty()) states[number] = std::move(table);
    }
  }
  Json conditions = Json::Object();
  const auto put = [&](const char* field, Json value, bool known, const char* reason) {
    conditions[field] = known ? std::move(value) : Json();
    if (!known) Note(unread, std::string("conditions.") + field, reason);
  };
  put("temperature_c", static_cast<double>(hottest.value_or(0)) / 1000, hottest.has_value(),
      "no /sys/class/thermal zone is readable");
  put("thermal_status", nullptr, false, "a service of Android tells it, no file");
  const bool any_frequency = !frequencies.empty(), any_state = !states.empty();
  put("frequencies_khz", std::move(frequencies), any_frequency,
      "the kernel shows no cpufreq here");
  put("time_in_state", std::move(states), any_state,
      "the kernel shows no cpufreq statistics here");
  put("battery_ua", drawn.value_or(0), drawn.has_value(), "no battery is readable");
  put("plugged", plugged.value_or(0) != 0, plugged.has_value(), "no power supply is readable");
  return conditions;
}

std::optional<int64_t> Proc::Threads() const {
  return StatusNumber(ReadSmallFile(root_ + "/proc/self/status").value_or(""), "Threads");
}

std::optional<int64_t> Proc::MachineNs() const {
  std::istringstream line(ReadSmallFile(root_ + "/proc/stat").value_or(""));
  std::string name;
  int64_t ticks[8];  // user nice system idle iowait irq softirq steal
  line >> name;
  for (int64_t& value : ticks) line >> value;
  const long per_second = sysconf(_SC_CLK_TCK);
  if (!line || name != "cpu" || per_second <= 0) return std::nullopt;
  const int64_t busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7];
  return busy * (kNsPerSecond / per_second);
}

BusyClock::BusyClock(const Proc& proc)
    : proc_(proc),
      wall_ns_(NowNs()),
      own_ns_(NowNs(CLOCK_PROCESS_CPUTIME_ID)),
      machine_ns_(proc.MachineNs()) {}

std::optional<double> BusyClock::BusyShare() const {
  const std::optional<int64_t> machine = proc_.MachineNs();
  const int64_t wall = NowNs() - wall_ns_;
  if (!machine || !machine_ns_ || wall <= 0) return std::nullopt;
  const int64_t own = NowNs(CLOCK_PROCESS_CPUTIME_ID) - own_ns_;
  const double others = static_cast<double>(*machine - *machine_ns_ - own);
  const long processors = std::max(1L, sysconf(_SC_NPROCESSORS_ONLN));
  return std::clamp(others / (static_cast<double>(wall) * static_cast<double>(processors)), 0.0, 1.0);
}

}  // namespace mobilekit
