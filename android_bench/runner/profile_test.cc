#include "android_bench/runner/profile.h"

#include "android_bench/runner/check.h"

using namespace mobilekit;

namespace {

constexpr int32_t kNode = litert::kEventNode, kOperator = litert::kEventDelegateOperator;

litert::ProfiledEvent Event(int32_t type, uint64_t index, const char* tag, uint64_t us,
                            uint64_t subgraph = 0) {
  litert::ProfiledEvent event{};
  event.type = type;
  event.index = index;
  event.tag = tag;
  event.elapsed_us = us;
  event.subgraph = subgraph;
  return event;
}

void TakesTheMeanOfEveryOperator() {
  Profile profile(0, 6, "xnnpack");
  const char* const name = "Fully Connected (NC, QS8, QC8W) \"GEMM\"";
  for (const uint64_t us : {10, 13}) {
    profile.Add({Event(1, 0, "Invoke", 99), Event(kOperator, 0, "Convert (NC)", us),
                 Event(kOperator, 1, name, us + 1), Event(kNode, 2, "SIGN", 7),
                 Event(kOperator, 0, "Convert (NC)", 2), Event(32, ~0ull, "Invoke", 1ull << 32)});
  }
  CHECK(profile.Rows().Text() ==
        "[{\"node\": 0, \"op\": \"Convert (NC)\", \"delegate\": \"xnnpack\", \"partition\": 0, "
        "\"us\": 11.5}, "
        "{\"node\": 1, \"op\": \"Fully Connected (NC, QS8, QC8W) \\\"GEMM\\\"\", "
        "\"delegate\": \"xnnpack\", \"partition\": 0, \"us\": 12.5}, "
        "{\"node\": 2, \"op\": \"SIGN\", \"delegate\": null, \"partition\": null, \"us\": 7}, "
        "{\"node\": 0, \"op\": \"Convert (NC)\", \"delegate\": \"xnnpack\", \"partition\": 1, "
        "\"us\": 2}]");
}

void CountsALoopOnce() {
  Profile profile(0, 1, "xnnpack");
  // Its body runs more often than before: that is its own affair.
  profile.Add({Event(kNode, 0, "WHILE", 100), Event(kNode, 0, "LESS", 1, 1),
               Event(kOperator, 0, "Add (ND)", 2, 2)});
  profile.Add({Event(kNode, 0, "WHILE", 200), Event(kNode, 0, "LESS", 1, 1),
               Event(kOperator, 0, "Add (ND)", 2, 2), Event(kNode, 0, "LESS", 1, 1)});
  CHECK(profile.Rows().Text() ==
        "[{\"node\": 0, \"op\": \"WHILE\", \"delegate\": null, \"partition\": null, \"us\": 150}]");
}

void APartitionWithoutOperatorsIsOneRow() {
  Profile profile(0, 3, "gpu");
  profile.Add({Event(kNode, 1, "SIGN", 4), Event(kNode, 3, "GpuDelegate", 30)});
  CHECK(profile.Rows().Text().find("\"node\": 3, \"op\": \"GpuDelegate\", \"delegate\": \"gpu\", "
                                   "\"partition\": 0, \"us\": 30") != std::string::npos);
}

void RefusesWhatHasNoMean() {
  Profile profile(0, 2, "xnnpack");
  CHECK_THROWS(profile.Rows(), "has no operators");
  profile.Add({Event(kNode, 0, "SIGN", 1), Event(kNode, 1, "ABS", 1)});
  CHECK_THROWS(profile.Add({Event(kNode, 0, "SIGN", 1)}), "different operators");
  CHECK_THROWS(profile.Add({Event(kNode, 0, "SIGN", 1), Event(kNode, 1, "NEG", 1)}),
               "different operators");
  CHECK_THROWS(profile.Add({Event(kOperator, 1, "Add (ND)", 1)}), "lacks its beginning");
  profile.Clear();
  profile.Add({Event(kNode, 0, nullptr, 8)});
  CHECK(profile.Rows().Text().find("\"op\": \"\"") != std::string::npos);
}

}  // namespace

int main() {
  TakesTheMeanOfEveryOperator();
  CountsALoopOnce();
  APartitionWithoutOperatorsIsOneRow();
  RefusesWhatHasNoMean();
  return Failures();
}
