#include "android_bench/runner/npy.h"

#include <cstring>
#include <fstream>
#include <sstream>

#include "android_bench/runner/check.h"

using namespace mobilekit;

namespace {

std::string FileOf(const std::string& text) {
  static int number = 0;
  static const std::string folder = TestFolder();
  const std::string path = folder + "/" + std::to_string(++number) + ".npy";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string NpyOf(int version, const std::string& header, const std::string& data) {
  std::string text = "\x93NUMPY";
  text += {static_cast<char>(version), 0};
  const int length_bytes = version == 1 ? 2 : 4;
  for (int i = 0; i < length_bytes; ++i) {
    text += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  }
  return text + header + data;
}

constexpr char kHeader[] = "{'descr': '|i1', 'fortran_order': False, 'shape': (2, 3), }   \n";

void Reads() {
  for (int version = 1; version <= 3; ++version) {
    NpyReader file(FileOf(NpyOf(version, kHeader, "abcdef")));
    CHECK(file.element().name == std::string("int8"));
    CHECK(file.shape() == (Shape{2, 3}));
    CHECK(file.row_bytes() == 3);
    char row[4] = "";
    file.ReadRow(1, row);
    CHECK(std::strcmp(row, "def") == 0);
    file.ReadRow(0, row);
    CHECK(std::strcmp(row, "abc") == 0);
  }
}

void ReadsHeaders() {
  CHECK(ParseNpyHeader("{'shape': (5,), 'fortran_order': False, 'descr': \"<f4\"}").shape ==
        Shape{5});
  CHECK(ParseNpyHeader("{'descr': '<f2', 'fortran_order': False, 'shape': (), }").shape.empty());
  const struct {
    const char* text;
    const char* said;
  } rows[] = {
      {"", "lacks a '{'"},
      {"{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", "Fortran"},
      {"{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", "'>f4'"},
      {"{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", "'|O'"},
      {"{'descr': '<f4', 'fortran_order': False}", "not numpy's"},
      {"{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,), }", "not numpy's"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", "not numpy's"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2", "lacks a ')'"},
      {"{'descr': '<f4, 'fortran_order': False, 'shape': (2,), }", "lacks a"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x", "not numpy's"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'evil': 'x'}", "'evil'"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 99999999999), }",
       "too large"},
      {"{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999999999999), }",
       "not numpy's"},
  };
  for (const auto& row : rows) CHECK_THROWS(ParseNpyHeader(row.text), row.said);
}

void RefusesFiles() {
  CHECK_THROWS(NpyReader("/no/such.npy"), "no .npy file (No such file");
  CHECK_THROWS(NpyReader(FileOf("")), "does not begin like one");
  CHECK_THROWS(NpyReader(FileOf("not numpy at all")), "does not begin like one");
  CHECK_THROWS(NpyReader(FileOf(NpyOf(4, kHeader, "abcdef"))), "version 4");
  CHECK_THROWS(NpyReader(FileOf(NpyOf(1, kHeader, "abcde"))), "its size");
  CHECK_THROWS(NpyReader(FileOf(NpyOf(1, kHeader, "abcdefg"))), "its size");
  CHECK_THROWS(NpyReader(FileOf(NpyOf(1, kHeader, "").substr(0, 40))), "ends in its header");
  CHECK_THROWS(NpyReader(FileOf(NpyOf(2, kHeader, "").substr(0, 11))), "ends in its header");
  const std::string scalar = "{'descr': '|i1', 'fortran_order': False, 'shape': (), }";
  CHECK_THROWS(NpyReader(FileOf(NpyOf(1, scalar, "a"))), "no stack");
  const std::string empty = "{'descr': '|i1', 'fortran_order': False, 'shape': (0, 3), }";
  CHECK_THROWS(NpyReader(FileOf(NpyOf(1, empty, ""))), "no stack");
  std::string huge = NpyOf(2, kHeader, "");
  huge[11] = 0x7F;
  CHECK_THROWS(NpyReader(FileOf(huge)), "too long");
}

void WritesWhatItReads() {
  for (const Shape& shape : {Shape{2, 3}, Shape{6}, Shape{2, 1, 3}}) {
    const std::string path = FileOf("");
    NpyWriter writer(path, *FindElementByDescr("<i2"), shape);
    writer.Append("abcdef", 6);
    writer.Append("ghijkl", 6);
    writer.Close();
    std::ifstream written(path, std::ios::binary);
    std::ostringstream text;
    text << written.rdbuf();
    CHECK((text.str().size() - 12) % 64 == 0);  // the data is aligned
    NpyReader reader(path);
    CHECK(reader.shape() == shape);
    std::string row(reader.row_bytes(), ' ');
    reader.ReadRow(0, &row[0]);
    CHECK(std::string("abcdefghijkl").compare(0, row.size(), row) == 0);
  }
  CHECK_THROWS(NpyWriter("/no/such/folder/x.npy", *FindElementByDescr("<i2"), {1}),
               "cannot be written");
  NpyWriter full("/dev/full", *FindElementByDescr("<i2"), {1});
  CHECK_THROWS(full.Close(), "/dev/full cannot be written");
}

}  // namespace

int main() {
  Reads();
  ReadsHeaders();
  RefusesFiles();
  WritesWhatItReads();
  return Failures();
}
