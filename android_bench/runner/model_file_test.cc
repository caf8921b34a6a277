// tests/test_native_runner.py gives whole models to the runner; here are the ways a file can lie.

#include "android_bench/runner/model_file.h"

#include <cstring>
#include <fstream>
#include <vector>

#include "android_bench/runner/check.h"
#include "android_bench/runner/flatbuffer.h"

using namespace mobilekit;

namespace {

// Writes tables whose fields have 4 bytes each, a vtable in front of every one.
class Writer {
 public:
  Writer() { bytes_.resize(8); }

  // Returns the place of the table; every field has 4 bytes.
  size_t TableOf(const std::vector<uint32_t>& fields) {
    const size_t head = bytes_.size(), head_bytes = 4 + 2 * fields.size();
    Put16(static_cast<uint16_t>(head_bytes));
    Put16(static_cast<uint16_t>(4 + 4 * fields.size()));
    for (size_t i = 0; i < fields.size(); ++i) Put16(static_cast<uint16_t>(4 + 4 * i));
    while (bytes_.size() % 4 != 0) bytes_.push_back(0);
    const size_t at = bytes_.size();
    Put32(static_cast<uint32_t>(at - head));
    for (const uint32_t field : fields) Put32(field);
    return at;
  }

  void Put16(uint16_t value) {
    for (int i = 0; i < 2; ++i) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
  }
  void Put32(uint32_t value) {
    for (int i = 0; i < 4; ++i) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
  }
  void Set32(size_t at, uint32_t value) {
    for (size_t i = 0; i < 4; ++i) bytes_[at + i] = static_cast<uint8_t>(value >> (8 * i));
  }

  void Point(size_t from, size_t to) { Set32(from, static_cast<uint32_t>(to - from)); }
  size_t size() const { return bytes_.size(); }

  // The file with this root, called a model.
  const std::vector<uint8_t>& Model(size_t root) {
    Set32(0, static_cast<uint32_t>(root));
    std::memcpy(bytes_.data() + 4, "TFL3", 4);
    return bytes_;
  }

 private:
  std::vector<uint8_t> bytes_;
};

void ReadsTables() {
  Writer writer;
  const std::vector<uint8_t>& bytes = writer.Model(writer.TableOf({3, 8, 0xFFFFFFFF}));
  const FlatBuffer file(bytes.data(), bytes.size());
  const Table table = Table::Root(file);
  CHECK(table.Get<uint32_t>(0) == 3);
  CHECK(table.Get<uint8_t>(2) == 0xFF);
  CHECK(table.Get<uint32_t>(7) == 0 && !table.Has(7));
  CHECK_THROWS(table.Get<uint64_t>(2), "damaged");     // behind the table's end
  CHECK_THROWS(table.VectorOf(2, 1), "damaged");       // points behind the file
  CHECK_THROWS(table.Child(7), "damaged");
}

// A thousand graphs that are one, of a thousand tensors that are one: a million of them in 8 kB.
std::vector<uint8_t> SharedTables() {
  constexpr uint32_t kCount = 1000;
  Writer writer;
  const size_t root = writer.TableOf({3, 0, 0, 0, 0});
  const auto vector_of = [&writer](uint32_t count) {
    const size_t at = writer.size();
    writer.Put32(count);
    for (uint32_t i = 0; i < count; ++i) writer.Put32(0);
    return at;
  };
  const size_t graphs = vector_of(kCount), none = vector_of(0), graph = writer.TableOf({0});
  const size_t tensors = vector_of(kCount), buffers = vector_of(1), table = writer.TableOf({});
  for (uint32_t i = 0; i < kCount; ++i) {
    writer.Point(graphs + 4 + 4 * i, graph);
    writer.Point(tensors + 4 + 4 * i, table);
  }
  writer.Point(buffers + 4, table);
  writer.Point(graph + 4, tensors);
  writer.Point(root + 8, none);
  writer.Point(root + 12, graphs);
  writer.Point(root + 16, none);
  writer.Point(root + 20, buffers);
  return writer.Model(root);
}

void RefusesModels() {
  const auto check = [](const std::vector<uint8_t>& bytes) {
    CheckModel(bytes.data(), bytes.size());
    return 0;
  };
  CHECK_THROWS(check({}), "no .tflite file");
  CHECK_THROWS(check(std::vector<uint8_t>(100, 'x')), "no .tflite file");
  Writer versioned;
  CHECK_THROWS(check(versioned.Model(versioned.TableOf({2}))), "schema version 2");
  Writer empty;
  CHECK_THROWS(check(empty.Model(empty.TableOf({3}))), "no graph");
  Writer strange;  // a field that nobody here reads lies behind its table
  const size_t table = strange.TableOf({3, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  std::vector<uint8_t> bytes = strange.Model(table);
  bytes[table - 1] = 0x7F;
  CHECK_THROWS(check(bytes), "damaged");
  Writer outside;
  CHECK_THROWS(check(outside.Model(4000)), "damaged");
  Writer counted;  // a vector of two thousand million tables
  const size_t root = counted.TableOf({3, 4});
  counted.Put32(0x7FFFFFFF);
  CHECK_THROWS(check(counted.Model(root)), "damaged");
  CHECK_THROWS(check(SharedTables()), "damaged");
  CHECK_THROWS((CheckModelFile("/no/such/model"), 0), "/no/such/model cannot be read");
  CHECK_THROWS((CheckModelFile("/dev/null"), 0), "no .tflite file");
}

}  // namespace

int main() {
  ReadsTables();
  RefusesModels();
  return Failures();
}
