#include "android_bench/runner/sampling.h"

#include <algorithm>
#include <utility>

#include "android_bench/runner/stopwatch.h"

namespace mobilekit {
namespace {

template <typename Element>
void DropEverySecond(std::vector<Element>* list) {
  size_t kept = 0;
  for (size_t i = 1; i < list->size(); i += 2) (*list)[kept++] = std::move((*list)[i]);
  list->erase(list->begin() + static_cast<long>(kept), list->end());
}

}  // namespace

Sampler::Sampler(Sensors* sensors, double seconds, Clock clock)
    : sensors_(sensors),
      clock_(std::move(clock)),
      period_ns_(static_cast<int64_t>(seconds * kNsPerSecond)),
      due_ns_(period_ns_) {
  windows_.reserve(16);
  Read();  // how long that takes is known then
}

Reading Sampler::Read() {
  const int64_t start = clock_.now();
  Reading reading = sensors_->Read();
  longest_ns_ = std::max(longest_ns_, clock_.now() - start);
  return reading;
}

void Sampler::Between(const Moment& moment) {
  if (moment.at_ns < due_ns_ || moment.slack_ns / 2 < longest_ns_) return;
  windows_.push_back({moment.at_ns, moment.index, Read()});
  if (windows_.size() == kMostWindows) {
    DropEverySecond(&windows_);
    period_ns_ *= 2;
  }
  due_ns_ = moment.at_ns + period_ns_;
}

Json Sampler::Windows() const {
  Json list = Json::Array();
  for (const Window& window : windows_) {
    Json row = Json::Object();
    row["at_us"] = Json::MicrosecondsOf(window.at_ns);
    row["index"] = window.index;
    row["conditions"] = sensors_->Conditions(window.reading);
    list.Push(std::move(row));
  }
  return list;
}

}  // namespace mobilekit
