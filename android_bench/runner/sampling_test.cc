#include "android_bench/runner/sampling.h"

#include <unistd.h>

#include "android_bench/runner/check.h"
#include "android_bench/runner/fake_phone.h"
#include "android_bench/runner/stopwatch.h"

using namespace mobilekit;

namespace {

constexpr int64_t kMs = 1'000'000;
constexpr char kZone[] = "/sys/class/thermal/thermal_zone0/temp";
const std::string kCpus = "/sys/devices/system/cpu/";

// Every look at it takes a millisecond, so that a reading takes one as well.
Clock SlowClock(int64_t* now) {
  return {[now] { return *now += kMs; }, [](int64_t) {}};
}

Moment At(int64_t ms, size_t index, int64_t slack_ms = 1'000'000) {
  return {index, ms * kMs, slack_ms * kMs};
}

void KeepsFilesOpenAndReadsThemAnew() {
  FakePhone phone;
  phone.Write(kZone, "41000\n");
  KeptFile file(phone.root() + kZone);
  CHECK(file.Number() == 41000);
  phone.Write(kZone, "42000\n");
  CHECK(file.Number() == 42000);
  // What cannot be read is opened again, as that of a processor that was off.
  KeptFile missing(phone.root() + "/no/such");
  CHECK(!missing.Read());
  phone.Write("/no/such", "7\n");
  CHECK(missing.Number() == 7);
}

void ReadsWhatThereIs() {
  FakePhone phone;
  phone.Write(kZone, "41000\n");
  phone.Write("/sys/class/thermal/thermal_zone1/temp", "45500\n");
  phone.Write("/sys/class/thermal/thermal_zone2/temp", "broken\n");
  phone.Write("/sys/class/thermal/thermal_zone3/temp", "44\n");
  phone.Write("/sys/class/thermal/thermal_zone4/temp", "-274000\n");
  phone.Write("/sys/class/thermal/thermal_zone5/temp", "255000\n");
  phone.Write("/sys/class/power_supply/battery/current_now", "-250000\n");
  phone.Write("/sys/class/power_supply/usb/online", "1\n");
  // Two processors with one clock, by a link as the kernel's; one with its own.
  phone.Write(kCpus + "cpufreq/policy0/scaling_cur_freq", "1800000\n");
  phone.Write(kCpus + "cpufreq/policy0/stats/time_in_state", "300000 12\n1800000 34\n");
  for (const char* cpu : {"cpu0", "cpu1"}) {
    phone.Write(kCpus + cpu + "/online", "1\n");
    CHECK(symlink("../cpufreq/policy0", (phone.root() + kCpus + cpu + "/cpufreq").c_str()) == 0);
  }
  phone.Write(kCpus + "cpu7/cpufreq/scaling_cur_freq", "2800000\n");
  Sensors sensors(phone.root());
  CHECK(sensors.any());
  CHECK(sensors.Conditions(sensors.Read()).Text() ==
        "{\"temperature_c\": 45.5, \"frequencies_khz\": {\"0\": 1800000, \"7\": 2800000}, "
        "\"time_in_state\": {\"0\": {\"300000\": 12, \"1800000\": 34}}, "
        "\"battery_ua\": -250000, \"plugged\": true}");
  FakePhone bare;
  Sensors nothing(bare.root());
  CHECK(!nothing.any());
  CHECK(nothing.Conditions(nothing.Read()).Text() == "{}");
}

void TakesZonesInEitherUnitButNoneThatNoSiliconSurvives() {
  CHECK(ZoneMc(45) == 45000);
  CHECK(ZoneMc(-5) == -5000);
  CHECK(ZoneMc(45500) == 45500);
  CHECK(!ZoneMc(-274000));
  CHECK(!ZoneMc(255000));
  CHECK(!ZoneMc(999));
  CHECK(!ZoneMc(std::nullopt));
}

void SamplesEveryHalfSecond() {
  FakePhone phone;
  phone.Write(kZone, "41000\n");
  Sensors sensors(phone.root());
  int64_t now = 0;
  Sampler sampler(&sensors, 0.5, SlowClock(&now));
  size_t index = 0;
  for (int64_t ms = 0; ms < 1600; ms += 300) sampler.Between(At(ms, index++));
  CHECK(sampler.Windows().Text() ==
        "[{\"at_us\": 600000.000, \"index\": 2, \"conditions\": {\"temperature_c\": 41}}, "
        "{\"at_us\": 1200000.000, \"index\": 4, \"conditions\": {\"temperature_c\": 41}}]");
}

void LeavesPacedFramesAlone() {
  FakePhone phone;
  phone.Write(kZone, "41000\n");
  Sensors sensors(phone.root());
  int64_t now = 0;
  Sampler sampler(&sensors, 0.5, SlowClock(&now));
  sampler.Between(At(600, 1, 1));  // a reading takes a millisecond
  sampler.Between(At(700, 2, -3));
  CHECK(sampler.Windows().empty());
  sampler.Between(At(800, 3, 2));
  CHECK(!sampler.Windows().empty());
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

void HasSomeThousandWindowsAtMost() {
  FakePhone phone;
  phone.Write(kZone, "41000\n");
  Sensors sensors(phone.root());
  int64_t now = 0;
  Sampler sampler(&sensors, 0.5, SlowClock(&now));
  for (int64_t ms = 0; ms <= 2 * 3600 * 1000; ms += 100) {
    sampler.Between(At(ms, static_cast<size_t>(ms / 100)));
  }
  const std::string text = sampler.Windows().Text();
  // Two hours are 14400 half seconds; the period has become 4 s, from the first to the last.
  CHECK(Count(text, "\"at_us\"") == 2 * 3600 / 4);
  CHECK(text.find("[{\"at_us\": 4000000.000, \"index\": 40,") == 0);
  CHECK(text.find("\"at_us\": 7200000000.000, \"index\": 72000,") != std::string::npos);
}

}  // namespace

int main() {
  KeepsFilesOpenAndReadsThemAnew();
  ReadsWhatThereIs();
  TakesZonesInEitherUnitButNoneThatNoSiliconSurvives();
  SamplesEveryHalfSecond();
  LeavesPacedFramesAlone();
  HasSomeThousandWindowsAtMost();
  return Failures();
}
