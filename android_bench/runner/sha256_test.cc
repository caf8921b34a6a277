#include "android_bench/runner/sha256.h"

#include <fstream>

#include "android_bench/runner/check.h"

using mobilekit::Sha256;

namespace {

std::string DigestOf(const std::string& text, size_t step) {
  Sha256 total;
  for (size_t at = 0; at < text.size(); at += step) {
    total.Update(text.data() + at, std::min(step, text.size() - at));
  }
  return total.Hex();
}

}  // namespace

int main() {
  // FIPS 180-4's examples, and lengths around the end of a block.
  const struct {
    std::string text;
    const char* digest;
  } rows[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {std::string(55, 'x'), "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072"},
      {std::string(56, 'x'), "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e"},
      {std::string(64, 'x'), "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c"},
      {std::string(1000000, 'a'),
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
  };
  for (const auto& row : rows) {
    CHECK(DigestOf(row.text, 1 << 20) == row.digest);
    CHECK(DigestOf(row.text, 7) == row.digest);
  }
  const std::string path = TestFolder() + "/a file";
  std::ofstream(path, std::ios::binary) << rows[5].text;
  CHECK(mobilekit::Sha256OfFile(path) == rows[5].digest);
  CHECK_THROWS(mobilekit::Sha256OfFile("/no/such/file"), "/no/such/file cannot be read");
  CHECK_THROWS(mobilekit::Sha256OfFile("/"), "/ cannot be read");
  return Failures();
}
