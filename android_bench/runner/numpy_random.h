// The numbers of numpy.random.default_rng, bit for bit: the Python runner seeds inputs with it, and
// two runners that are compared must get the same ones.
//
// Sources: O'Neill, "PCG" (2014), for PCG64 (XSL RR 128/64); O'Neill's seed_seq_fe for SeedSequence;
// Lemire, "Fast random integer generation in an interval" (2019), for bounded integers.

#ifndef ANDROID_BENCH_RUNNER_NUMPY_RANDOM_H_
#define ANDROID_BENCH_RUNNER_NUMPY_RANDOM_H_

#include <cstdint>
#include <vector>

#include "android_bench/runner/element.h"

namespace mobilekit {

// default_rng(entropy), and those of its methods that seed inputs.
class NumpyRandom {
 public:
  explicit NumpyRandom(const std::vector<uint64_t>& entropy);

  // uniform(-1, 1, count).astype(element): `element` is a float.
  void FillUniform(const Element& element, size_t count, uint8_t* to);
  // integers(low, high, count, dtype=element, endpoint=True): `element` is an integer, and
  // low <= high fit into it, as two's complement of 64 bits.
  void FillIntegers(const Element& element, uint64_t low, uint64_t high, size_t count, uint8_t* to);

 private:
  uint64_t Next64();
  uint32_t Next32();
  // The next `bits` bits out of a buffered word of 32: 8 or 16.
  uint32_t NextSmall(int bits);
  template <typename Word>
  Word Bounded(Word range);

  unsigned __int128 state_ = 0;
  unsigned __int128 increment_ = 0;
  bool has_half_ = false;
  uint32_t half_ = 0;
  uint32_t small_ = 0;
  int small_left_ = 0;
};

// The nearest float16, ties to even, as its bits.
uint16_t HalfOf(double value);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_NUMPY_RANDOM_H_
