#include "android_bench/runner/weight_cache.h"

#include <cstdio>

#include "android_bench/runner/check.h"

using namespace mobilekit;

namespace {

void Write(const std::string& path, const char* text) {
  FILE* file = std::fopen(path.c_str(), "w");
  CHECK(file != nullptr && std::fputs(text, file) >= 0 && std::fclose(file) == 0);
}

std::string StateOf(const WeightCache& cache, const char* unread = "{}") {
  Json reasons = Json::Object();
  const std::string state = cache.State(&reasons).Text();
  CHECK(reasons.Text().find(unread) == 0);
  return state;
}

}  // namespace

int main() {
  CHECK(StateOf(WeightCache("")) == "null");
  const std::string path = TestFolder() + "/new/folder/weights";
  const WeightCache first(path);
  CHECK(StateOf(first, "{\"cache\": \"XNNPACK wrote no weights") == "null");
  Write(path, "packed");
  CHECK(StateOf(first) == "\"cold\"");
  const WeightCache second(path);
  CHECK(StateOf(second) == "\"warm\"");
  Write(path, "packed anew");  // it did not fit
  CHECK(StateOf(second) == "\"cold\"");
  CHECK_THROWS(WeightCache("/proc/no/such/file"), "/proc/no cannot be made");
  return Failures();
}
