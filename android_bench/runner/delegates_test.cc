#include "android_bench/runner/delegates.h"

#include "android_bench/runner/check.h"
#include "android_bench/runner/litert_api.h"

using namespace mobilekit;

int main() {
  CHECK(FindDelegate("xnnpack").accelerators == litert::kAcceleratorCpu);
  CHECK(FindDelegate("qualcomm@sm8750").accelerators == litert::kAcceleratorNpu);
  CHECK_THROWS(FindDelegate("nnapi"), "'nnapi' is not one of xnnpack, none, gpu-mldrift");

  CHECK(TextOf(FindDelegate("xnnpack"), {}).empty());
  CHECK(TextOf(FindDelegate("xnnpack"), {{"fp16", "true"}}) == "flags = 15\n");
  CHECK(TextOf(FindDelegate("gpu-mldrift"), {{"precision", "fp32"}}) == "precision = 2\n");
  CHECK_THROWS(TextOf(FindDelegate("xnnpack"), {{"fp61", "true"}}),
               "delegate xnnpack has no option 'fp61'; it has fp16");
  CHECK_THROWS(TextOf(FindDelegate("gpu-mldrift"), {{"precision", "int8"}}),
               "'int8' is no value of precision; it takes fp16, fp32");
  CHECK_THROWS(TextOf(FindDelegate("none"), {{"fp16", "true"}}), "has no option 'fp16'");
  return Failures();
}
