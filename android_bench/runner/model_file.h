// Checks the bytes of a .tflite file before LiteRT gets them: version 2.3.0 does not, and reads
// behind the end of a truncated file.

#ifndef ANDROID_BENCH_RUNNER_MODEL_FILE_H_
#define ANDROID_BENCH_RUNNER_MODEL_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace mobilekit {

// Throws Problem unless every table, vector and text stays inside the file, and every index of a
// tensor, buffer, operator code or subgraph names one that exists. What operators make of their
// options and shapes is left to the runtime.
void CheckModel(const uint8_t* bytes, size_t size);

// The same of a file; throws Problem also if it cannot be read.
void CheckModelFile(const std::string& path);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_MODEL_FILE_H_
