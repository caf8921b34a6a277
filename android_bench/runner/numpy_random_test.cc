// Against what numpy 2.1 draws; tests/test_native_runner.py compares more with the installed one.

#include "android_bench/runner/numpy_random.h"

#include <cmath>
#include <cstring>

#include "android_bench/runner/check.h"

using namespace mobilekit;

namespace {

template <typename Value>
bool Draws(const char* descr, int64_t low, int64_t high, const std::vector<Value>& wanted,
           const std::vector<uint64_t>& entropy = {7, 0, 3}) {
  std::vector<Value> drawn(wanted.size());
  NumpyRandom(entropy).FillIntegers(*FindElementByDescr(descr), static_cast<uint64_t>(low),
                                    static_cast<uint64_t>(high), wanted.size(),
                                    reinterpret_cast<uint8_t*>(drawn.data()));
  return drawn == wanted;
}

template <typename Value>
std::vector<Value> Uniform(const char* descr, size_t count) {
  std::vector<Value> drawn(count);
  NumpyRandom({7, 0, 3}).FillUniform(*FindElementByDescr(descr), count,
                                     reinterpret_cast<uint8_t*>(drawn.data()));
  return drawn;
}

}  // namespace

int main() {
  CHECK((Draws<int8_t>("|i1", -128, 127, {76, 24, -121, -22, -71, 78})));
  CHECK((Draws<int8_t>("|i1", -5, 5, {3, 1, -5, -1, -3, 3})));
  CHECK((Draws<int8_t>("|i1", 9, 9, {9, 9})));
  CHECK((Draws<uint16_t>("<u2", 0, 999, {596, 414, 805, 776, 614, 490})));
  CHECK((Draws<int32_t>("<i4", INT32_MIN, INT32_MAX, {-368600884, 1187892793, -180314804})));
  CHECK((Draws<int32_t>("<i4", 0, 100, {41, 78, 46, 99, 56, 97})));
  CHECK((Draws<int64_t>("<i8", -3, int64_t{1} << 40,
                        {853856369002, 1088027460470, 1056935139471})));
  CHECK((Draws<int64_t>("<i8", 0, 9, {4, 7, 4, 9, 5, 9})));
  CHECK((Draws<uint64_t>("<u8", 0, -1, {14325332735722756300u, 18254071718224108876u})));
  CHECK((Draws<uint8_t>("|u1", 0, 255, {177, 27, 1, 98}, {(uint64_t{1} << 40) + 5, 1, 0})));

  CHECK((Uniform<float>("<f4", 3) ==
         std::vector<float>{0x1.1b3738p-1f, 0x1.f54df6p-1f, 0x1.d858fap-1f}));
  CHECK((Uniform<double>("<f8", 2) ==
         std::vector<double>{0x1.1b3738e5a81e6p-1, 0x1.f54df60dd5026p-1}));
  CHECK((Uniform<uint16_t>("<f2", 3) == std::vector<uint16_t>{14445, 15317, 15201}));

  const struct {
    double value;
    uint16_t bits;
  } halves[] = {{0, 0},           {1, 0x3c00},       {-1, 0xbc00},      {65504, 0x7bff},
                {65519.99, 0x7bff}, {65520, 0x7c00},   {1e-8, 0},         {6e-8, 1},
                {0x1p-24, 1},     {0x1p-25, 0},      {0x1.0001p-25, 1}, {1.0 / 3, 0x3555},
                {2049, 0x6800},   {2051, 0x6802},    {6.1e-5, 0x3ff},   {0x1p-14, 0x400},
                {INFINITY, 0x7c00}, {-INFINITY, 0xfc00}};
  for (const auto& row : halves) CHECK(HalfOf(row.value) == row.bits);
  return Failures();
}
