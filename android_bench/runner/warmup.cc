#include "android_bench/runner/warmup.h"

#include <algorithm>
#include <cmath>

#include "android_bench/runner/stopwatch.h"

namespace mobilekit {
namespace {

constexpr size_t kWindow = 10;           // invocations, at least
constexpr double kWindowSecs = 0.1;      // at least
constexpr double kSettledWithin = 0.02;  // of the earlier window's median
constexpr double kBound = 10;            // times the least seconds

double MedianNs(std::vector<int64_t> totals) {
  const auto middle = totals.begin() + static_cast<long>(totals.size() / 2);
  std::nth_element(totals.begin(), middle, totals.end());
  const auto upper = static_cast<double>(*middle);
  if (totals.size() % 2 == 1) return upper;
  return (upper + static_cast<double>(*std::max_element(totals.begin(), middle))) / 2;
}

}  // namespace

bool WarmUp::More(const std::vector<Sample>& samples, int64_t elapsed_ns) {
  const auto seconds = [](int64_t ns) { return static_cast<double>(ns) / kNsPerSecond; };
  if (seconds(elapsed_ns - begin_ns_) >= kWindowSecs && samples.size() - begin_ >= kWindow) {
    std::vector<int64_t> totals;
    for (size_t i = begin_; i < samples.size(); ++i) totals.push_back(samples[i].total_ns());
    medians_.push_back(MedianNs(std::move(totals)));
    begin_ = samples.size();
    begin_ns_ = elapsed_ns;
  }
  if (samples.size() < count_ || min_secs_ <= 0) return samples.size() < count_;
  if (seconds(elapsed_ns) >= min_secs_ * kBound) return false;
  return seconds(elapsed_ns) < min_secs_ || !settled();
}

bool WarmUp::settled() const {
  if (medians_.size() < 2) return false;
  const double later = medians_.back(), earlier = medians_[medians_.size() - 2];
  return std::abs(later - earlier) <= kSettledWithin * earlier;
}

}  // namespace mobilekit
