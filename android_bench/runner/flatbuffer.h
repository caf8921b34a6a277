// Reads a flatbuffer without trusting it: every offset and length must stay inside the file.

#ifndef ANDROID_BENCH_RUNNER_FLATBUFFER_H_
#define ANDROID_BENCH_RUNNER_FLATBUFFER_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace mobilekit {

// The bytes of a file, and how much of them was looked at.
class FlatBuffer {
 public:
  FlatBuffer(const uint8_t* bytes, size_t size) : bytes_(bytes), size_(size) {}

  size_t size() const { return size_; }
  // Throws Problem unless `count` bytes from `at` on are in the file.
  void Need(size_t at, uint64_t count) const;
  // Counts elements that are looked at. Throws Problem when they are more than a file of this size
  // can mean: tables may share vectors, so a small file could ask for endless work.
  void Spend(uint64_t elements) const;

  template <typename Number>
  Number Read(size_t at) const {
    Need(at, sizeof(Number));
    Number value = 0;
    for (size_t i = 0; i < sizeof(Number); ++i) {
      value = static_cast<Number>(value | static_cast<Number>(bytes_[at + i]) << (8 * i));
    }
    return value;
  }

 private:
  const uint8_t* bytes_;
  size_t size_;
  mutable uint64_t spent_ = 0;
};

// A vector: where its elements are, and how many.
struct Vector {
  size_t at = 0;
  size_t count = 0;
};

// One table. A field is named by its number in the schema; one that is absent reads as 0, "" or
// empty. All throw Problem for what lies outside the file.
class Table {
 public:
  Table(const FlatBuffer& file, size_t at);
  static Table Root(const FlatBuffer& file);

  bool Has(int field) const { return Find(field, 1) != 0; }
  template <typename Number>
  Number Get(int field) const {
    const size_t at = Find(field, sizeof(Number));
    return at == 0 ? Number{0} : file_->Read<Number>(at);
  }
  Table Child(int field) const;  // which must be there
  Vector VectorOf(int field, size_t element_bytes) const;
  // The `index`-th table of a vector of tables.
  Table Element(const Vector& tables, size_t index) const;
  void CheckString(int field) const;
  // That each field, if it is there, has so many bytes.
  void CheckNumbers(std::initializer_list<std::pair<int, size_t>> fields) const;

 private:
  // The place of a field of `bytes` bytes; 0 if it is absent.
  size_t Find(int field, size_t bytes) const;
  size_t Follow(size_t at) const;

  const FlatBuffer* file_;
  size_t at_;
  size_t fields_at_;
  size_t num_fields_;
  size_t table_bytes_;
};

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_FLATBUFFER_H_
