#include "android_bench/runner/inputs.h"

#include <limits>

#include "android_bench/runner/numpy_random.h"
#include "android_bench/runner/problem.h"
#include "android_bench/runner/sha256.h"

namespace mobilekit {
namespace {

std::unique_ptr<NpyReader> OpenStack(const std::string& path, const Tensor& tensor) {
  auto file = std::make_unique<NpyReader>(path);
  const Shape row(file->shape().begin() + 1, file->shape().end());
  // A stack may leave out the model's own batch dimension of 1.
  const bool batch_of_one = !tensor.shape.empty() && tensor.shape[0] == 1;
  const bool fits = row == tensor.shape ||
                    (batch_of_one && row == Shape(tensor.shape.begin() + 1, tensor.shape.end()));
  if (!fits || &file->element() != tensor.element) {
    throw Problem("input '" + tensor.name + "' takes " + tensor.element->name + " " +
                  ToText(tensor.shape) + " and a stack of those; the file given for it holds " +
                  file->element().name + " " + ToText(file->shape()));
  }
  return file;
}

// Smallest and largest number of an integer type, as two's complement of 64 bits.
IntegerRange WholeRange(const Element& element) {
  const int bits = static_cast<int>(8 * element.bytes);
  if (element.kind == ElementClass::kSigned) {
    const int64_t low = std::numeric_limits<int64_t>::min() >> (64 - bits);
    return {low, ~low};
  }
  const uint64_t high = std::numeric_limits<uint64_t>::max() >> (64 - bits);
  return {0, static_cast<int64_t>(high)};
}

bool Holds(const Element& element, const IntegerRange& range) {
  const IntegerRange whole = WholeRange(element);
  if (element.kind == ElementClass::kUnsigned && element.bytes == 8) return range.low >= 0;
  return range.low >= whole.low && range.high <= whole.high;
}

}  // namespace

Inputs::Inputs(const std::vector<Tensor>& tensors, const InputOptions& options)
    : tensors_(tensors), options_(options), count_(options.count) {
  if (options.files.empty()) return;
  const size_t given = options.files.size();
  if (given != tensors.size()) {
    throw Problem("the model has " + std::to_string(tensors.size()) + " inputs, " +
                  std::to_string(given) + " were given");
  }
  files_.resize(given);
  size_t next = 0;
  for (const std::string& argument : options.files) {
    size_t position = tensors.size();
    const size_t sign = argument.find('=');
    for (size_t i = 0; sign != std::string::npos && i < tensors.size(); ++i) {
      if (tensors[i].name == argument.substr(0, sign)) position = i;
    }
    const bool named = position < tensors.size();
    if (!named) {
      while (next < given && files_[next] != nullptr) ++next;
      position = next;
    }
    if (position >= given || files_[position] != nullptr) {
      throw Problem("one input is given twice: '" + argument + "'");
    }
    files_[position] =
        OpenStack(named ? argument.substr(sign + 1) : argument, tensors[position]);
  }
  for (const auto& file : files_) {
    if (file->shape()[0] != files_[0]->shape()[0]) {
      throw Problem("the stacks of inputs have different lengths");
    }
  }
  if (given > 0) count_ = static_cast<size_t>(files_[0]->shape()[0]);
}

std::vector<Bytes> Inputs::Read(size_t index) {
  std::vector<Bytes> values;
  for (size_t position = 0; position < tensors_.size(); ++position) {
    if (files_.empty()) {
      values.push_back(Seeded(position, index));
    } else {
      values.emplace_back(tensors_[position].bytes);
      files_[position]->ReadRow(index, values.back().data());
    }
  }
  return values;
}

Bytes Inputs::Seeded(size_t position, size_t index) const {
  const Tensor& tensor = tensors_[position];
  Bytes values(tensor.bytes);
  NumpyRandom random({options_.seed, position, index});
  const size_t count = tensor.bytes / tensor.element->bytes;
  if (tensor.element->kind == ElementClass::kFloat) {
    random.FillUniform(*tensor.element, count, values.data());
    return values;
  }
  if (tensor.element->kind == ElementClass::kBool) {
    throw Problem("input '" + tensor.name + "' is bool, which cannot be seeded; give --input");
  }
  const IntegerRange range = options_.range.value_or(WholeRange(*tensor.element));
  if (options_.range && !Holds(*tensor.element, range)) {
    throw Problem("input '" + tensor.name + "' is " + tensor.element->name +
                  ", which does not hold all of --input-range");
  }
  random.FillIntegers(*tensor.element, static_cast<uint64_t>(range.low),
                      static_cast<uint64_t>(range.high), count, values.data());
  return values;
}

std::vector<std::string> Inputs::Sha256OfStacks() {
  std::vector<Sha256> totals(tensors_.size());
  for (size_t index = 0; index < count_; ++index) {
    const std::vector<Bytes> values = Read(index);
    for (size_t position = 0; position < totals.size(); ++position) {
      totals[position].Update(values[position].data(), values[position].size());
    }
  }
  std::vector<std::string> digests;
  for (Sha256& total : totals) digests.push_back(total.Hex());
  return digests;
}

}  // namespace mobilekit
