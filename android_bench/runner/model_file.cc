#include "android_bench/runner/model_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "android_bench/runner/flatbuffer.h"
#include "android_bench/runner/problem.h"

// The numbers of fields and of union members below are those of version 3 of the schema of .tflite.

namespace mobilekit {
namespace {

constexpr uint32_t kSchemaVersion = 3;
constexpr char kIdentifier[] = "TFL3";

// Options of operators that hold more than numbers: vectors (of elements of so many bytes) and
// texts (0).
struct OptionField {
  int options;  // the union's field in the operator: 4, or 12 for the second union
  int type;     // number in that union
  int field;
  size_t bytes;
};
constexpr OptionField kOptionFields[] = {
    {4, 3, 0, 4},    {4, 3, 1, 4},    {4, 8, 5, 1},    {4, 17, 0, 4},   {4, 30, 0, 4},
    {4, 111, 0, 0},  {4, 111, 1, 0},  {4, 115, 0, 4},  {12, 2, 0, 8},   {12, 3, 0, 8},
    {12, 3, 1, 8},   {12, 3, 2, 8},   {12, 4, 0, 8},   {12, 4, 1, 8},   {12, 4, 2, 8},
    {12, 4, 3, 8},   {12, 4, 4, 1},   {12, 4, 7, 8},   {12, 4, 10, 8},  {12, 4, 13, 8},
    {12, 4, 16, 4},  {12, 5, 0, 0},   {12, 5, 2, 0},   {12, 5, 4, 4},   {12, 5, 5, 1},
    {12, 6, 0, 8},   {12, 7, 1, 8},   {12, 7, 2, 8},   {12, 7, 3, 8},   {12, 9, 0, 8},
    {12, 10, 0, 8},  {12, 10, 1, 8},  {12, 10, 2, 8},  {12, 12, 0, 8},  {12, 12, 1, 8},
    {12, 12, 2, 8},  {12, 12, 3, 8},  {12, 12, 4, 4},  {12, 13, 0, 8},  {12, 13, 1, 8},
    {12, 13, 2, 8},  {12, 13, 3, 8},  {12, 13, 4, 8},  {12, 16, 0, 8},  {12, 16, 1, 8},
    {12, 16, 2, 8},  {12, 16, 4, 8},  {12, 17, 0, 8},  {12, 21, 0, 0},  {12, 21, 2, 1},
    {12, 23, 0, 4},
};
// Options that name other subgraphs: of the control flow of the first union.
struct SubgraphField {
  int type;
  int field;
};
constexpr SubgraphField kSubgraphFields[] = {{16, 0}, {92, 0}, {92, 1}, {93, 0}, {93, 1}, {103, 0}};

void CheckIndex(int64_t index, size_t count, const char* what) {
  if (index >= 0 && static_cast<uint64_t>(index) < count) return;
  throw Problem("the model names " + std::string(what) + " " + std::to_string(index) +
                ", and has " + std::to_string(count));
}

class Checker {
 public:
  Checker(const uint8_t* bytes, size_t size)
      : file_(bytes, size),
        model_(Table::Root(file_)),
        codes_(model_.VectorOf(1, 4)),
        subgraphs_(model_.VectorOf(2, 4)),
        buffers_(model_.VectorOf(4, 4)) {}

  void Check() const {
    if (model_.Get<uint32_t>(0) != kSchemaVersion) {
      throw Problem("the model has schema version " + std::to_string(model_.Get<uint32_t>(0)) +
                    ", and 3 is what can be read");
    }
    if (subgraphs_.count == 0) throw Problem("the model has no graph");
    model_.CheckString(3);
    for (size_t i = 0; i < codes_.count; ++i) {
      const Table code = model_.Element(codes_, i);
      code.CheckString(1);
      code.CheckNumbers({{0, 1}, {2, 4}, {3, 4}});
    }
    for (size_t i = 0; i < buffers_.count; ++i) CheckBuffer(model_.Element(buffers_, i));
    for (size_t i = 0; i < subgraphs_.count; ++i) CheckSubgraph(model_.Element(subgraphs_, i));
    CheckInputs(model_.Element(subgraphs_, 0));
    const Vector metadata = model_.VectorOf(6, 4);
    for (size_t i = 0; i < metadata.count; ++i) {
      const Table row = model_.Element(metadata, i);
      row.CheckString(0);
      CheckIndex(row.Get<uint32_t>(1), buffers_.count, "buffer");
    }
    const Vector signatures = model_.VectorOf(7, 4);
    for (size_t i = 0; i < signatures.count; ++i) CheckSignature(model_.Element(signatures, i));
  }

 private:
  void CheckBuffer(const Table& buffer) const {
    buffer.VectorOf(0, 1);
    // Offsets 0 and 1 say that the data stand inside; otherwise they stand behind the flatbuffer.
    const uint64_t offset = buffer.Get<uint64_t>(1), size = buffer.Get<uint64_t>(2);
    if (offset > 1) CheckOutside(offset, size);
  }

  void CheckOutside(uint64_t offset, uint64_t size) const {
    if (offset > file_.size()) file_.Need(file_.size(), 1);
    file_.Need(static_cast<size_t>(offset), size);
  }

  // Numbers of tensors; `optional` allows -1.
  void CheckTensors(const Table& table, int field, size_t tensors, bool optional) const {
    const Vector list = table.VectorOf(field, 4);
    file_.Spend(list.count);
    for (size_t i = 0; i < list.count; ++i) {
      const auto index = static_cast<int32_t>(file_.Read<uint32_t>(list.at + 4 * i));
      if (index == -1 && optional) continue;
      CheckIndex(index, tensors, "tensor");
    }
  }

  void CheckSubgraph(const Table& graph) const {
    const Vector tensors = graph.VectorOf(0, 4), operators = graph.VectorOf(3, 4);
    graph.CheckString(4);
    graph.CheckNumbers({{5, 4}});
    CheckTensors(graph, 1, tensors.count, false);
    CheckTensors(graph, 2, tensors.count, false);
    for (size_t i = 0; i < tensors.count; ++i) CheckTensor(graph.Element(tensors, i));
    for (size_t i = 0; i < operators.count; ++i) {
      CheckOperator(graph.Element(operators, i), tensors.count);
    }
  }

  // LiteRT takes the sizes of an input for fixed if the file does not say that its rank is known,
  // and would run an image of 1 x 1 where no size was known.
  void CheckInputs(const Table& graph) const {
    const Vector tensors = graph.VectorOf(0, 4), inputs = graph.VectorOf(1, 4);
    for (size_t i = 0; i < inputs.count; ++i) {
      const Table tensor = graph.Element(tensors, file_.Read<uint32_t>(inputs.at + 4 * i));
      const Vector sizes = tensor.VectorOf(7, 4);
      if (tensor.Get<uint8_t>(8) != 0) continue;
      for (size_t place = 1; place < sizes.count; ++place) {
        if (file_.Read<uint32_t>(sizes.at + 4 * place) != UINT32_MAX) continue;
        throw Problem("the shape of an input is not fixed, and an older converter wrote the file,"
                      " so that LiteRT cannot change it; convert the model anew");
      }
    }
  }

  void CheckTensor(const Table& tensor) const {
    CheckShape(tensor, 0);
    CheckShape(tensor, 7);
    tensor.CheckString(3);
    tensor.CheckNumbers({{1, 1}, {5, 1}, {8, 1}, {10, 4}});
    CheckIndex(tensor.Get<uint32_t>(2), buffers_.count, "buffer");
    if (tensor.Has(4)) CheckQuantization(tensor.Child(4));
    if (tensor.Has(6)) CheckSparsity(tensor.Child(6));
    const Vector variants = tensor.VectorOf(9, 4);
    for (size_t i = 0; i < variants.count; ++i) {
      const Table variant = tensor.Element(variants, i);
      CheckShape(variant, 0);
      variant.CheckNumbers({{1, 1}, {2, 1}});
    }
  }

  // Dimensions; -1 stands for one that is not known.
  void CheckShape(const Table& table, int field) const {
    const Vector shape = table.VectorOf(field, 4);
    file_.Spend(shape.count);
    for (size_t i = 0; i < shape.count; ++i) {
      if (static_cast<int32_t>(file_.Read<uint32_t>(shape.at + 4 * i)) < -1) {
        throw Problem("the model has a tensor with a negative dimension");
      }
    }
  }

  static void CheckQuantization(const Table& quantization) {
    for (const int field : {0, 1, 2}) quantization.VectorOf(field, 4);
    quantization.VectorOf(3, 8);
    quantization.CheckNumbers({{6, 4}});
    const auto type = quantization.Get<uint8_t>(4);
    if (type == 0 || !quantization.Has(5)) return;
    const Table details = quantization.Child(5);
    if (type == 1) details.VectorOf(0, 1);
    if (type != 2) return;
    details.VectorOf(3, 4);
    details.CheckNumbers({{0, 4}, {1, 4}, {2, 4}});
  }

  static void CheckSparsity(const Table& sparsity) {
    sparsity.VectorOf(0, 4);
    sparsity.VectorOf(1, 4);
    const Vector dimensions = sparsity.VectorOf(2, 4);
    for (size_t i = 0; i < dimensions.count; ++i) {
      const Table dimension = sparsity.Element(dimensions, i);
      dimension.CheckNumbers({{0, 1}, {1, 4}});
      for (const int field : {2, 4}) {  // the type of a union, which is the next field
        const auto type = dimension.Get<uint8_t>(field);
        if (type == 0 || !dimension.Has(field + 1)) continue;
        dimension.Child(field + 1).VectorOf(0, type == 1 ? 4 : type == 2 ? 2 : 1);
      }
    }
  }

  void CheckOperator(const Table& op, size_t tensors) const {
    CheckIndex(op.Get<uint32_t>(0), codes_.count, "operator code");
    CheckTensors(op, 1, tensors, true);
    CheckTensors(op, 2, tensors, true);
    CheckTensors(op, 8, tensors, true);
    op.VectorOf(5, 1);
    op.VectorOf(7, 1);
    op.CheckNumbers({{6, 1}, {13, 4}});
    const uint64_t offset = op.Get<uint64_t>(9);
    if (offset > 1) CheckOutside(offset, op.Get<uint64_t>(10));
    for (const int options : {4, 12}) {
      const int type = op.Get<uint8_t>(options - 1);
      if (type == 0 || !op.Has(options)) continue;
      CheckOptions(op.Child(options), options, type);
    }
  }

  void CheckOptions(const Table& options, int field, int type) const {
    for (const OptionField& row : kOptionFields) {
      if (row.options != field || row.type != type) continue;
      if (row.bytes == 0) {
        options.CheckString(row.field);
      } else {
        options.VectorOf(row.field, row.bytes);
      }
    }
    for (const SubgraphField& row : kSubgraphFields) {
      if (field != 4 || row.type != type) continue;
      CheckIndex(options.Get<uint32_t>(row.field), subgraphs_.count, "subgraph");
    }
  }

  void CheckSignature(const Table& signature) const {
    signature.CheckString(2);
    const auto index = signature.Get<uint32_t>(4);
    CheckIndex(index, subgraphs_.count, "subgraph");
    const size_t tensors = model_.Element(subgraphs_, index).VectorOf(0, 4).count;
    for (const int field : {0, 1}) {
      const Vector maps = signature.VectorOf(field, 4);
      for (size_t i = 0; i < maps.count; ++i) {
        const Table map = signature.Element(maps, i);
        map.CheckString(0);
        CheckIndex(map.Get<uint32_t>(1), tensors, "tensor");
      }
    }
  }

  FlatBuffer file_;
  Table model_;
  Vector codes_;
  Vector subgraphs_;
  Vector buffers_;
};

}  // namespace

void CheckModel(const uint8_t* bytes, size_t size) {
  if (size < 8 || std::memcmp(bytes + 4, kIdentifier, 4) != 0) {
    throw Problem("the model is no .tflite file");
  }
  Checker(bytes, size).Check();
}

void CheckModelFile(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw Problem(path + " cannot be read: " + std::strerror(errno));
  struct stat status{};
  const bool known = fstat(file, &status) == 0;
  const size_t size = known ? static_cast<size_t>(status.st_size) : 0;
  void* bytes = size > 0 ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0) : nullptr;
  close(file);
  if (bytes == nullptr || bytes == MAP_FAILED) throw Problem("the model is no .tflite file");
  const auto unmap = [size](void* mapped) { munmap(mapped, size); };
  const std::unique_ptr<void, decltype(unmap)> kept(bytes, unmap);
  CheckModel(static_cast<const uint8_t*>(bytes), size);
}

}  // namespace mobilekit
