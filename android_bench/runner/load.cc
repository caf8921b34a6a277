#include "android_bench/runner/load.h"

#include <algorithm>
#include <exception>
#include <system_error>
#include <utility>

#include "android_bench/runner/delegates.h"
#include "android_bench/runner/model_file.h"
#include "android_bench/runner/problem.h"
#include "android_bench/runner/sha256.h"

namespace mobilekit {
namespace {

constexpr size_t kMostKept = 200'000;

std::string DigestOfChecked(const std::string& path) {
  CheckModelFile(path);
  return Sha256OfFile(path);
}

}  // namespace

void Thinned::Add(int64_t value) {
  if (count_++ % stride_ != 0) return;
  kept_.push_back(value);
  if (kept_.size() < most_) return;
  size_t kept = 0;
  for (size_t i = 0; i < kept_.size(); i += 2) kept_[kept++] = kept_[i];
  kept_.resize(kept);
  stride_ *= 2;
}

int64_t Thinned::Median() const {
  if (kept_.empty()) return 0;
  std::vector<int64_t> sorted = kept_;
  const auto middle = sorted.begin() + static_cast<long>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

Load::Load(InvokeFunction invoke) : invoke_(std::move(invoke)), totals_(kMostKept) {}

Load::~Load() { Join(); }

void Load::Start() {
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error& error) {
    throw Problem(std::string("the load's thread cannot be started: ") + error.what());
  }
  std::unique_lock<std::mutex> lock(mutex_);
  ran_.wait(lock, [this] { return began_ || !problem_.empty(); });
  if (!problem_.empty()) throw Problem(problem_);
}

void Load::Stop() {
  Join();
  if (!problem_.empty()) throw Problem(problem_);
}

void Load::Join() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void Load::Run() {
  std::string problem;
  try {
    do {
      totals_.Add(invoke_().total_ns());
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!std::exchange(began_, true)) ran_.notify_one();
    } while (!stop_);
    return;
  } catch (const std::exception& error) {  // in a thread nobody else would catch it
    problem = error.what();
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  problem_ = "the load: " + problem;
  ran_.notify_one();
}

LoadModel::LoadModel(const litert::Api& api, const std::string& path, int num_threads) try
    : sha256_(DigestOfChecked(path)),
      options_{{}, 0, 1, {}},
      environment_(api, FindDelegate("xnnpack"), ""),
      model_(environment_, path, {"xnnpack", {}, "", num_threads, "", {}, false}),
      values_(Inputs(model_.inputs(), options_).Read(0)),
      outputs_(model_.OutputBytes()),
      load_([this] { return model_.Invoke(values_, &outputs_); }) {
} catch (const Problem& problem) {
  throw Problem(std::string("the load: ") + problem.what());
}

Json LoadModel::Report() const {
  Json report = Json::Object();
  report["sha256"] = sha256_;
  report["invocations"] = load_.invocations();
  report["median_us"] = Json::MicrosecondsOf(load_.median_ns());
  return report;
}

}  // namespace mobilekit
