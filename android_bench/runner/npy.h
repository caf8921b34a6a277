// numpy's .npy files, of versions 1 to 3 of their format: read row by row, written row by row.
// Source: numpy's own description of the format (numpy.lib.format).

#ifndef ANDROID_BENCH_RUNNER_NPY_H_
#define ANDROID_BENCH_RUNNER_NPY_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "android_bench/runner/element.h"

namespace mobilekit {

struct NpyHeader {
  const Element* element;
  Shape shape;
};

// Reads the text of a header, e.g. "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".
// Throws Problem for anything but a C-ordered array of one of `Elements()`.
NpyHeader ParseNpyHeader(const std::string& text);

class NpyReader {
 public:
  // Throws Problem if `path` cannot be read, or is not exactly one array.
  explicit NpyReader(const std::string& path);

  const Element& element() const { return *header_.element; }
  const Shape& shape() const { return header_.shape; }
  // Bytes of one row: an element of the first dimension.
  size_t row_bytes() const { return row_bytes_; }
  // Reads one row; `row` must be below shape()[0].
  void ReadRow(size_t row, void* to);

 private:
  std::string path_;
  std::unique_ptr<FILE, int (*)(FILE*)> file_;
  NpyHeader header_;
  size_t row_bytes_ = 0;
  long data_at_ = 0;
};

class NpyWriter {
 public:
  // Writes the header; `shape` is that of the whole array. Throws Problem.
  NpyWriter(const std::string& path, const Element& element, const Shape& shape);

  void Append(const void* data, size_t size);
  // Throws Problem if not all of it arrived on the disk.
  void Close();

 private:
  std::string path_;
  std::unique_ptr<FILE, int (*)(FILE*)> file_;
};

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_NPY_H_
