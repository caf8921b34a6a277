#include "android_bench/runner/element.h"

#include "android_bench/runner/problem.h"

namespace mobilekit {
namespace {

constexpr size_t kMostElements = size_t{1} << (sizeof(size_t) > 4 ? 40 : 28);

}  // namespace

const std::vector<Element>& Elements() {
  static const std::vector<Element> elements = {
      {1, "float32", "<f4", 4, ElementClass::kFloat},
      {2, "int32", "<i4", 4, ElementClass::kSigned},
      {3, "uint8", "|u1", 1, ElementClass::kUnsigned},
      {4, "int64", "<i8", 8, ElementClass::kSigned},
      {6, "bool", "|b1", 1, ElementClass::kBool},
      {7, "int16", "<i2", 2, ElementClass::kSigned},
      {9, "int8", "|i1", 1, ElementClass::kSigned},
      {10, "float16", "<f2", 2, ElementClass::kFloat},
      {11, "float64", "<f8", 8, ElementClass::kFloat},
      {13, "uint64", "<u8", 8, ElementClass::kUnsigned},
      {16, "uint32", "<u4", 4, ElementClass::kUnsigned},
      {17, "uint16", "<u2", 2, ElementClass::kUnsigned},
  };
  return elements;
}

const Element* FindElement(int32_t litert) {
  for (const Element& element : Elements()) {
    if (element.litert == litert) return &element;
  }
  return nullptr;
}

const Element* FindElementByDescr(const std::string& descr) {
  for (const Element& element : Elements()) {
    if (element.descr == descr) return &element;
  }
  return nullptr;
}

std::string ToText(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    text += (i ? ", " : "") + std::to_string(shape[i]);
  }
  return text + "]";
}

size_t ElementCount(const Shape& shape) {
  size_t count = 1;
  for (const int64_t size : shape) {
    if (size < 0) throw Problem("the shape " + ToText(shape) + " is not known in advance");
    if (size > 0 && count > kMostElements / static_cast<size_t>(size)) {
      throw Problem("the shape " + ToText(shape) + " is too large");
    }
    count *= static_cast<size_t>(size);
  }
  return count;
}

}  // namespace mobilekit
