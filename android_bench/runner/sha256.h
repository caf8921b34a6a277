// SHA-256 (FIPS 180-4), so that a device needs no other program to say what ran there.

#ifndef ANDROID_BENCH_RUNNER_SHA256_H_
#define ANDROID_BENCH_RUNNER_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace mobilekit {

class Sha256 {
 public:
  void Update(const void* data, size_t size);
  // 64 hex digits of all that was added; nothing may be added after it.
  std::string Hex();

 private:
  void Block(const uint8_t* block);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> pending_{};
  uint64_t bytes_ = 0;
};

// Of a file's bytes; throws Problem if it cannot be read.
std::string Sha256OfFile(const std::string& path);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_SHA256_H_
