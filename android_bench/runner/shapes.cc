#include "android_bench/runner/shapes.h"

#include <cstdlib>

#include "android_bench/runner/problem.h"

namespace mobilekit {
namespace {

constexpr long kMostSize = 1 << 30;  // of one dimension: an int, with room to multiply

// The sizes of "1,192,192,3"; empty if it is none.
Shape Sizes(const std::string& text) {
  Shape shape;
  const char* at = text.c_str();
  while (shape.size() <= litert::kMostDimensions) {
    char* end = nullptr;
    const long size = std::strtol(at, &end, 10);
    if (*at < '0' || *at > '9' || size < 1 || size > kMostSize) return {};
    shape.push_back(size);
    if (*end == 0) return shape;
    if (*end != ',') return {};
    at = end + 1;
  }
  return {};
}

}  // namespace

void AddShape(const std::string& text, InputShapes* shapes) {
  const size_t equals = text.rfind('=');
  const Shape shape = equals == std::string::npos ? Shape() : Sizes(text.substr(equals + 1));
  if (equals == 0 || shape.empty() || shape.size() > litert::kMostDimensions) {
    throw UsageProblem("'" + text + "' is not NAME=1,192,192,3: up to 8 sizes above zero");
  }
  if (!shapes->emplace(text.substr(0, equals), shape).second) {
    throw UsageProblem("'" + text.substr(0, equals) + "' was given a shape before");
  }
}

Shape ShapeOf(const litert::Layout& layout, const std::string& name) {
  if (layout.rank() > litert::kMostDimensions) {
    throw Problem("'" + name + "' has more than 8 dimensions");
  }
  return Shape(layout.dimensions, layout.dimensions + layout.rank());
}

void CheckNames(const InputShapes& shapes, const std::vector<std::string>& names) {
  for (const auto& [given, shape] : shapes) {
    std::string list;
    bool found = false;
    for (const std::string& name : names) {
      found = found || name == given;
      list += (list.empty() ? "" : ", ") + name;
    }
    if (!found) throw Problem("the model has no input '" + given + "'; it has " + list);
  }
}

void CheckShape(const std::string& name, const Shape& described, const Shape& given) {
  bool fits = given.size() == described.size();
  for (size_t place = 0; fits && place < given.size(); ++place) {
    fits = described[place] < 0 || described[place] == given[place];
  }
  if (fits) return;
  throw Problem("the shape " + ToText(given) + " does not fit input '" + name + "', which takes " +
                ToText(described) + " (-1 is any size)");
}

bool NeedsShape(const Shape& described) {
  for (size_t place = 1; place < described.size(); ++place) {
    if (described[place] < 0) return true;
  }
  return false;
}

}  // namespace mobilekit
