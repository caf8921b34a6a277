#include "android_bench/runner/affinity.h"

#include <sched.h>

#include <cerrno>
#include <cstring>
#include <map>

#include "android_bench/runner/problem.h"
#include "android_bench/runner/proc.h"

namespace mobilekit {
namespace {

std::vector<int> ProcessorsOfMask(const std::string& text) {
  std::vector<int> processors;
  const std::string digits = text.compare(0, 2, "0x") == 0 ? text.substr(2) : text;
  for (size_t place = 0; place < digits.size(); ++place) {
    const char digit = digits[digits.size() - 1 - place];
    const bool letter = (digit >= 'a' && digit <= 'f') || (digit >= 'A' && digit <= 'F');
    if (!letter && (digit < '0' || digit > '9')) {
      throw Problem("--affinity takes big, little or a hexadecimal mask, not '" + text + "'");
    }
    const int value = letter ? (digit | 0x20) - 'a' + 10 : digit - '0';
    for (int bit = 0; bit < 4; ++bit) {
      const size_t processor = 4 * place + static_cast<size_t>(bit);
      if (!(value >> bit & 1)) continue;
      if (processor >= CPU_SETSIZE) throw Problem("the mask " + text + " is too long");
      processors.push_back(static_cast<int>(processor));
    }
  }
  if (processors.empty()) throw Problem("the mask '" + text + "' names no processor");
  return processors;
}

}  // namespace

std::vector<int> ProcessorsOf(const std::string& text, const std::string& root) {
  if (text != "big" && text != "little") return ProcessorsOfMask(text);
  std::map<int64_t, std::vector<int>> clusters;  // by maximum frequency
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    const auto khz = ReadNumber(root + "/sys/devices/system/cpu/cpu" + std::to_string(processor) +
                                "/cpufreq/cpuinfo_max_freq");
    if (khz) clusters[*khz].push_back(processor);
  }
  if (clusters.size() < 2) {
    throw Problem("this device shows no big and little processors; give --affinity a mask");
  }
  return text == "big" ? clusters.rbegin()->second : clusters.begin()->second;
}

void SetAffinity(const std::vector<int>& processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : processors) CPU_SET(processor, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0 || AllowedProcessors() != processors) {
    throw Problem(std::string("these processors cannot be had: ") +
                  (errno == 0 ? "some are missing or off" : std::strerror(errno)));
  }
}

std::vector<int> AllowedProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return processors;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(processor, &set)) processors.push_back(processor);
  }
  return processors;
}

}  // namespace mobilekit
