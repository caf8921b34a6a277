// The element types of tensors: the runtime's number, and numpy's name of the same.

#ifndef ANDROID_BENCH_RUNNER_ELEMENT_H_
#define ANDROID_BENCH_RUNNER_ELEMENT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mobilekit {

enum class ElementClass { kBool, kSigned, kUnsigned, kFloat };

struct Element {
  int32_t litert;       // the runtime's number
  const char* name;     // numpy's, as in "float32"
  const char* descr;    // numpy's in a .npy header, as in "<f4"
  size_t bytes;         // of one element
  ElementClass kind;
};

// Every type that can be read, seeded or written; packed and complex ones are not among them.
const std::vector<Element>& Elements();
// nullptr for a type that is not among them.
const Element* FindElement(int32_t litert);
const Element* FindElementByDescr(const std::string& descr);

using Shape = std::vector<int64_t>;

// E.g. "[1, 224, 224, 3]".
std::string ToText(const Shape& shape);
// Number of elements; throws Problem for a negative dimension, or above 2^40 elements.
size_t ElementCount(const Shape& shape);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_ELEMENT_H_
