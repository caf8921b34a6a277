#include "android_bench/runner/numpy_random.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

namespace mobilekit {
namespace {

using Word128 = unsigned __int128;

constexpr Word128 kMultiplier = static_cast<Word128>(2549297995355413924ull) << 64 |
                                4865540595714422341ull;

// SeedSequence: mixes any number of words into a pool of four, and draws words from it.
class SeedSequence {
 public:
  explicit SeedSequence(const std::vector<uint32_t>& entropy) {
    for (size_t i = 0; i < pool_.size(); ++i) {
      pool_[i] = Hashed(i < entropy.size() ? entropy[i] : 0);
    }
    for (size_t from = 0; from < pool_.size(); ++from) {
      for (size_t to = 0; to < pool_.size(); ++to) {
        if (from != to) pool_[to] = Mixed(pool_[to], Hashed(pool_[from]));
      }
    }
    for (size_t from = pool_.size(); from < entropy.size(); ++from) {
      for (uint32_t& to : pool_) to = Mixed(to, Hashed(entropy[from]));
    }
  }

  // Four words of 64 bits.
  std::array<uint64_t, 4> Draw() const {
    uint32_t hash = 0x8b51f9dd;
    std::array<uint64_t, 4> words{};
    for (size_t i = 0; i < 2 * words.size(); ++i) {
      uint32_t value = pool_[i % pool_.size()] ^ hash;
      hash *= 0x58f38ded;
      value *= hash;
      value ^= value >> 16;
      words[i / 2] |= static_cast<uint64_t>(value) << (32 * (i % 2));
    }
    return words;
  }

 private:
  uint32_t Hashed(uint32_t value) {
    value ^= hash_;
    hash_ *= 0x931e8875;
    value *= hash_;
    return value ^ value >> 16;
  }

  static uint32_t Mixed(uint32_t x, uint32_t y) {
    const uint32_t result = 0xca01f9dd * x - 0x4973f715 * y;
    return result ^ result >> 16;
  }

  std::array<uint32_t, 4> pool_{};
  uint32_t hash_ = 0x43b0d7e5;
};

template <typename Value>
void Store(Value value, size_t index, uint8_t* to) {
  std::memcpy(to + index * sizeof(value), &value, sizeof(value));
}

// Twice as wide as `Word`, for its products.
template <typename Word>
struct Wide {
  using Type = uint64_t;
};
template <>
struct Wide<uint64_t> {
  using Type = Word128;
};

}  // namespace

NumpyRandom::NumpyRandom(const std::vector<uint64_t>& entropy) {
  std::vector<uint32_t> words;
  for (const uint64_t value : entropy) {
    words.push_back(static_cast<uint32_t>(value));
    if (value >> 32) words.push_back(static_cast<uint32_t>(value >> 32));
  }
  const std::array<uint64_t, 4> seed = SeedSequence(words).Draw();
  increment_ = (static_cast<Word128>(seed[2]) << 64 | seed[3]) << 1 | 1;
  state_ = increment_ + (static_cast<Word128>(seed[0]) << 64 | seed[1]);
  state_ = state_ * kMultiplier + increment_;
}

uint64_t NumpyRandom::Next64() {
  state_ = state_ * kMultiplier + increment_;
  const uint64_t folded = static_cast<uint64_t>(state_ >> 64) ^ static_cast<uint64_t>(state_);
  const unsigned turn = static_cast<unsigned>(state_ >> 122);
  return folded >> turn | folded << ((64 - turn) & 63);
}

uint32_t NumpyRandom::Next32() {
  if (has_half_) {
    has_half_ = false;
    return half_;
  }
  const uint64_t word = Next64();
  has_half_ = true;
  half_ = static_cast<uint32_t>(word >> 32);
  return static_cast<uint32_t>(word);
}

uint32_t NumpyRandom::NextSmall(int bits) {
  if (small_left_ == 0) {
    small_ = Next32();
    small_left_ = 32 / bits;
  } else {
    small_ >>= bits;
  }
  --small_left_;
  return small_ & ((1u << bits) - 1);
}

// A number of 0..range, both included.
template <typename Word>
Word NumpyRandom::Bounded(Word range) {
  using Product = typename Wide<Word>::Type;
  const auto draw = [this]() -> Word {
    if constexpr (sizeof(Word) == 8) return Next64();
    if constexpr (sizeof(Word) == 4) return Next32();
    return static_cast<Word>(NextSmall(8 * sizeof(Word)));
  };
  if (range == 0) return 0;
  if (range == std::numeric_limits<Word>::max()) return draw();
  const Word count = static_cast<Word>(range + 1);
  Product product = static_cast<Product>(draw()) * count;
  if (static_cast<Word>(product) < count) {
    const Word threshold = static_cast<Word>(
        static_cast<Word>(std::numeric_limits<Word>::max() - range) % count);
    while (static_cast<Word>(product) < threshold) {
      product = static_cast<Product>(draw()) * count;
    }
  }
  return static_cast<Word>(product >> (8 * sizeof(Word)));
}

void NumpyRandom::FillIntegers(const Element& element, uint64_t low, uint64_t high, size_t count,
                               uint8_t* to) {
  const uint64_t range = high - low;
  small_left_ = 0;  // every call buffers anew
  for (size_t i = 0; i < count; ++i) {
    switch (element.bytes) {
      case 1:
        Store(static_cast<uint8_t>(low + Bounded(static_cast<uint8_t>(range))), i, to);
        break;
      case 2:
        Store(static_cast<uint16_t>(low + Bounded(static_cast<uint16_t>(range))), i, to);
        break;
      case 4:
        Store(static_cast<uint32_t>(low + Bounded(static_cast<uint32_t>(range))), i, to);
        break;
      default:
        Store(low + (range <= 0xFFFFFFFF ? Bounded(static_cast<uint32_t>(range)) : Bounded(range)),
              i, to);
    }
  }
}

void NumpyRandom::FillUniform(const Element& element, size_t count, uint8_t* to) {
  for (size_t i = 0; i < count; ++i) {
    const double unit = static_cast<double>(Next64() >> 11) * (1.0 / 9007199254740992.0);
    const double value = -1.0 + 2.0 * unit;
    if (element.bytes == 8) Store(value, i, to);
    if (element.bytes == 4) Store(static_cast<float>(value), i, to);
    if (element.bytes == 2) Store(HalfOf(value), i, to);
  }
}

uint16_t HalfOf(double value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double size = std::fabs(value);
  if (!(size < 65520)) return static_cast<uint16_t>(sign | (std::isnan(value) ? 0x7E00 : 0x7C00));
  int exponent = 0;
  std::frexp(size, &exponent);  // size = m * 2^exponent, m of [0.5, 1)
  const int lowest = -14;       // of normal numbers; below it the steps stay equal
  const int power = exponent - 1 < lowest || size == 0 ? lowest : exponent - 1;
  // In steps of the last of ten binary places; nearbyint breaks ties to even.
  const auto steps = static_cast<uint32_t>(std::nearbyint(std::ldexp(size, 10 - power)));
  // A mantissa of 2^10 carries the exponent's first step, so a sum is all that is needed.
  return static_cast<uint16_t>(sign | ((static_cast<uint32_t>(power - lowest) << 10) + steps));
}

}  // namespace mobilekit
