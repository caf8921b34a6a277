// Shapes that are given for inputs whose own are not fixed.

#ifndef ANDROID_BENCH_RUNNER_SHAPES_H_
#define ANDROID_BENCH_RUNNER_SHAPES_H_

#include <map>
#include <string>
#include <vector>

#include "android_bench/runner/element.h"
#include "android_bench/runner/litert_api.h"

namespace mobilekit {

using InputShapes = std::map<std::string, Shape>;  // by the input's name in the signature

// Reads "NAME=1,192,192,3" into `shapes`; throws UsageProblem.
void AddShape(const std::string& text, InputShapes* shapes);

// The shape of a layout of the tensor `name`; throws Problem for more than 8 dimensions.
Shape ShapeOf(const litert::Layout& layout, const std::string& name);

// Throws Problem if a shape is given to none of the inputs `names`.
void CheckNames(const InputShapes& shapes, const std::vector<std::string>& names);

// Throws Problem unless `given` fits an input that the file describes by `described`, which has -1
// for every dimension that is not fixed.
void CheckShape(const std::string& name, const Shape& described, const Shape& given);

// Whether an input can only be run with a shape that is given for it: a dimension behind the first
// is not fixed. A first one that is not is the batch, which stays as large as in the file.
bool NeedsShape(const Shape& described);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_SHAPES_H_
