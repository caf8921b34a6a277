#include "android_bench/runner/flatbuffer.h"

#include "android_bench/runner/problem.h"

namespace mobilekit {
namespace {

constexpr char kDamaged[] = "the model is truncated or damaged";
constexpr uint64_t kElementsPerByte = 8;

}  // namespace

void FlatBuffer::Need(size_t at, uint64_t count) const {
  if (at > size_ || count > size_ - at) throw Problem(kDamaged);
}

void FlatBuffer::Spend(uint64_t elements) const {
  spent_ += elements;
  if (spent_ > kElementsPerByte * size_) throw Problem(kDamaged);
}

Table::Table(const FlatBuffer& file, size_t at) : file_(&file), at_(at) {
  const int64_t back = static_cast<int32_t>(file.Read<uint32_t>(at));
  const int64_t fields = static_cast<int64_t>(at) - back;
  if (fields < 0) throw Problem(kDamaged);
  const size_t head = static_cast<size_t>(fields);
  const size_t head_bytes = file.Read<uint16_t>(head);
  table_bytes_ = file.Read<uint16_t>(head + 2);
  file.Need(head, head_bytes);
  file.Need(at, table_bytes_);
  if (head_bytes < 4 || table_bytes_ < 4) throw Problem(kDamaged);
  fields_at_ = head + 4;
  num_fields_ = (head_bytes - 4) / 2;
  file.Spend(1 + num_fields_);
  // Fields that we never read, too: the runtime does.
  for (size_t field = 0; field < num_fields_; ++field) Find(static_cast<int>(field), 1);
}

Table Table::Root(const FlatBuffer& file) { return Table(file, file.Read<uint32_t>(0)); }

size_t Table::Find(int field, size_t bytes) const {
  const size_t number = static_cast<size_t>(field);
  if (number >= num_fields_) return 0;
  const size_t offset = file_->Read<uint16_t>(fields_at_ + 2 * number);
  if (offset == 0) return 0;
  if (offset < 4 || offset + bytes > table_bytes_) throw Problem(kDamaged);
  return at_ + offset;
}

size_t Table::Follow(size_t at) const {
  const uint64_t to = static_cast<uint64_t>(at) + file_->Read<uint32_t>(at);
  file_->Need(static_cast<size_t>(to), 4);
  return static_cast<size_t>(to);
}

Table Table::Child(int field) const {
  const size_t at = Find(field, 4);
  if (at == 0) throw Problem(kDamaged);
  return Table(*file_, Follow(at));
}

Vector Table::VectorOf(int field, size_t element_bytes) const {
  const size_t at = Find(field, 4);
  if (at == 0) return {};
  const size_t vector = Follow(at);
  const size_t count = file_->Read<uint32_t>(vector);
  file_->Need(vector + 4, static_cast<uint64_t>(count) * element_bytes);
  return {vector + 4, count};
}

Table Table::Element(const Vector& tables, size_t index) const {
  return Table(*file_, Follow(tables.at + 4 * index));
}

void Table::CheckNumbers(std::initializer_list<std::pair<int, size_t>> fields) const {
  for (const auto& [field, bytes] : fields) Find(field, bytes);
}

void Table::CheckString(int field) const {
  const Vector text = VectorOf(field, 1);
  if (text.at != 0 && file_->Read<uint8_t>(text.at + text.count) != 0) throw Problem(kDamaged);
}

}  // namespace mobilekit
