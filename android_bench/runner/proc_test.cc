#include "android_bench/runner/proc.h"

#include "android_bench/runner/affinity.h"
#include "android_bench/runner/check.h"
#include "android_bench/runner/fake_phone.h"

using namespace mobilekit;

namespace {

constexpr char kCpu[] = "/sys/devices/system/cpu/cpu";

void ReadsAPhone() {
  FakePhone phone;
  phone.Write("/proc/self/status",
              "Name:\trunner\nVmHWM:\t    2048 kB\nRssAnon:\t 1000 kB\nRssFile:\t 3 kB\nThreads:\t4\n");
  phone.Write("/proc/stat", "cpu  100 1 20 5000 7 3 2 1 9 9\ncpu0 1 2 3\n");
  phone.Write("/sys/class/thermal/thermal_zone0/temp", "41000\n");
  phone.Write("/sys/class/thermal/thermal_zone7/temp", "45500\n");
  phone.Write("/sys/class/thermal/thermal_zone8/temp", "broken\n");
  phone.Write("/sys/class/power_supply/battery/current_now", "-250000\n");
  phone.Write("/sys/class/power_supply/usb/online", "1\n");
  phone.Write("/sys/class/power_supply/wireless/online", "0\n");
  for (const char* cpu : {"0", "7"}) {
    const std::string folder = kCpu + std::string(cpu) + "/cpufreq/";
    phone.Write(folder + "scaling_cur_freq", "1800000\n");
    phone.Write(folder + "cpuinfo_max_freq", *cpu == '0' ? "1800000\n" : "2800000\n");
    phone.Write(folder + "stats/time_in_state", "300000 12\n1800000 34\n");
  }
  const Proc proc(phone.root());
  Json unread = Json::Object();
  CHECK(proc.Memory(&unread).Text() ==
        "{\"vm_hwm_bytes\": 2097152, \"rss_anon_bytes\": 1024000, \"rss_file_bytes\": 3072, "
        "\"delegate_bytes\": null}");
  CHECK(proc.Conditions(&unread).Text() ==
        "{\"temperature_c\": 45.5, \"thermal_status\": null, "
        "\"frequencies_khz\": {\"0\": 1800000, \"7\": 1800000}, \"time_in_state\": "
        "{\"0\": {\"300000\": 12, \"1800000\": 34}, \"7\": {\"300000\": 12, \"1800000\": 34}}, "
        "\"battery_ua\": -250000, \"plugged\": true}");
  CHECK(unread.Text() ==
        "{\"memory.delegate_bytes\": \"LiteRT's C API does not say\", "
        "\"conditions.thermal_status\": \"a service of Android tells it, no file\"}");
  CHECK(proc.Threads() == 4);
  CHECK(proc.MachineNs() == 127 * 10'000'000ll);  // ticks of 10 ms
  CHECK(ProcessorsOf("little", phone.root()) == std::vector<int>{0});
  CHECK(ProcessorsOf("big", phone.root()) == std::vector<int>{7});
}

void SaysWhatItCannotRead() {
  FakePhone phone;
  phone.Write("/proc/stat", "intr 1\n");
  phone.Write(kCpu + std::string("0/cpufreq/stats/time_in_state"), "x y\n");
  const Proc proc(phone.root());
  Json unread = Json::Object();
  CHECK(proc.Memory(&unread).Text().find("\"vm_hwm_bytes\": null") != std::string::npos);
  const std::string conditions = proc.Conditions(&unread).Text();
  for (const char* field : {"temperature_c", "thermal_status", "frequencies_khz", "time_in_state",
                            "battery_ua", "plugged"}) {
    CHECK(conditions.find(std::string("\"") + field + "\": null") != std::string::npos);
    CHECK(unread.Text().find(std::string("\"conditions.") + field + "\": \"") != std::string::npos);
  }
  CHECK(!proc.MachineNs());
  CHECK(!BusyClock(proc).BusyShare());
  CHECK_THROWS(ProcessorsOf("big", phone.root()), "no big and little");
}

void ReadsThisComputer() {
  const Proc proc;
  CHECK(proc.Threads().value_or(0) == 1);
  const BusyClock clock(proc);
  const auto share = clock.BusyShare();
  CHECK(share && *share >= 0 && *share <= 1);
}

void ReadsMasks() {
  CHECK(ProcessorsOf("5") == (std::vector<int>{0, 2}));
  CHECK(ProcessorsOf("0xF0") == (std::vector<int>{4, 5, 6, 7}));
  CHECK_THROWS(ProcessorsOf("0"), "no processor");
  CHECK_THROWS(ProcessorsOf("huge"), "big, little or a hexadecimal mask");
  CHECK_THROWS(ProcessorsOf("1" + std::string(300, '0')), "too long");
  CHECK_THROWS(SetAffinity({1023}), "cannot be had");
  const std::vector<int> allowed = AllowedProcessors();
  SetAffinity({allowed.back()});
  CHECK(AllowedProcessors() == std::vector<int>{allowed.back()});
}

}  // namespace

int main() {
  ReadsAPhone();
  SaysWhatItCannotRead();
  ReadsThisComputer();
  ReadsMasks();
  return Failures();
}
