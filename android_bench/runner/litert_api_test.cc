#include "android_bench/runner/litert_api.h"

#include "android_bench/runner/check.h"

using namespace mobilekit;

namespace {

int Seven() { return 7; }

}  // namespace

int main() {
  CHECK(litert::Needed(&Seven, "Seven", "--shape")() == 7);
  using Function = int (*)();
  CHECK_THROWS(litert::Needed(Function{nullptr}, "Seven", "--shape"),
               "the runtime lacks LiteRtSeven, which --shape needs");
  CHECK_THROWS((litert::CheckVersion("1.0"), 0), "LiteRT 1.0 is not supported");
  CHECK_THROWS((litert::Check(504, "it failed"), 0),
               "it failed (LiteRT's status 504, it cannot be compiled)");
  return Failures();
}
