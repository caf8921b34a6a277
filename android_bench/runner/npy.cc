#include "android_bench/runner/npy.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "android_bench/runner/problem.h"

namespace mobilekit {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr size_t kMagicBytes = 6;
constexpr size_t kAlignment = 64;  // of the data, as numpy writes it
constexpr size_t kMostHeaderBytes = 1 << 16;
constexpr size_t kMostDimensions = 32;

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Walks over the text of a header, which is a literal of Python.
class HeaderText {
 public:
  explicit HeaderText(const std::string& text) : text_(text) {}

  bool Accept(char wanted) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void Expect(char wanted) {
    if (!Accept(wanted)) throw Problem(std::string("its header lacks a '") + wanted + "'");
  }

  std::string String() {
    SkipSpace();
    const char quote = at_ < text_.size() ? text_[at_] : 0;
    if (quote != '\'' && quote != '"') throw Problem("its header is not numpy's");
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string::npos) throw Problem("its header is not numpy's");
    const std::string value = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return value;
  }

  bool Bool() {
    SkipSpace();
    for (const bool value : {false, true}) {
      const std::string word = value ? "True" : "False";
      if (text_.compare(at_, word.size(), word) == 0) {
        at_ += word.size();
        return value;
      }
    }
    throw Problem("its header is not numpy's");
  }

  Shape Tuple() {
    Shape shape;
    Expect('(');
    while (!Accept(')')) {
      if (shape.size() == kMostDimensions) throw Problem("its header is not numpy's");
      shape.push_back(Number());
      if (!Accept(',')) {
        Expect(')');
        break;
      }
    }
    return shape;
  }

  bool AtEnd() {
    SkipSpace();
    return at_ == text_.size();
  }

 private:
  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }

  int64_t Number() {
    SkipSpace();
    int64_t value = 0;
    const size_t begin = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      if (at_ - begin == 18) throw Problem("its header is not numpy's");
      value = value * 10 + (text_[at_] - '0');
    }
    if (at_ == begin) throw Problem("its header is not numpy's");
    return value;
  }

  const std::string& text_;
  size_t at_ = 0;
};

size_t ReadLittleEndian(const uint8_t* bytes, size_t count) {
  size_t value = 0;
  for (size_t i = 0; i < count; ++i) value |= static_cast<size_t>(bytes[i]) << (8 * i);
  return value;
}

}  // namespace

NpyHeader ParseNpyHeader(const std::string& text) {
  HeaderText header(text);
  std::string descr;
  bool fortran = true, has_shape = false;
  Shape shape;
  header.Expect('{');
  while (!header.Accept('}')) {
    const std::string key = header.String();
    header.Expect(':');
    if (key == "descr") {
      descr = header.String();
    } else if (key == "fortran_order") {
      fortran = header.Bool();
    } else if (key == "shape") {
      shape = header.Tuple();
      has_shape = true;
    } else {
      throw Problem("its header has a key '" + key + "'");
    }
    if (!header.Accept(',')) {
      header.Expect('}');
      break;
    }
  }
  const Element* element = FindElementByDescr(descr);
  if (!header.AtEnd() || !has_shape) throw Problem("its header is not numpy's");
  if (element == nullptr) throw Problem("it holds '" + descr + "'");
  if (fortran) throw Problem("it is in Fortran order");
  ElementCount(shape);  // refuses what cannot be
  return {element, shape};
}

NpyReader::NpyReader(const std::string& path)
    : path_(path), file_(std::fopen(path.c_str(), "rb"), std::fclose) {
  try {
    if (file_ == nullptr) throw Problem(std::strerror(errno));
    uint8_t start[12];
    if (std::fread(start, 1, 10, file_.get()) != 10 || std::memcmp(start, kMagic, kMagicBytes)) {
      throw Problem("it does not begin like one");
    }
    const int version = start[6];
    if (version < 1 || version > 3) throw Problem("version " + std::to_string(version));
    size_t length = ReadLittleEndian(start + 8, 2), head = 10;
    if (version > 1) {
      if (std::fread(start + 10, 1, 2, file_.get()) != 2) throw Problem("it ends in its header");
      length = ReadLittleEndian(start + 8, 4);
      head = 12;
    }
    if (length > kMostHeaderBytes) throw Problem("its header is too long");
    std::string text(length, ' ');
    if (std::fread(&text[0], 1, length, file_.get()) != length) {
      throw Problem("it ends in its header");
    }
    header_ = ParseNpyHeader(text);
    data_at_ = static_cast<long>(head + length);
    const size_t bytes = ElementCount(header_.shape) * header_.element->bytes;
    struct stat status{};
    if (fstat(fileno(file_.get()), &status) != 0 ||
        static_cast<uint64_t>(status.st_size) != static_cast<uint64_t>(data_at_) + bytes) {
      throw Problem("its size is not that of its array");
    }
    if (header_.shape.empty() || header_.shape[0] == 0) throw Problem("it is no stack of arrays");
    row_bytes_ = bytes / static_cast<size_t>(header_.shape[0]);
  } catch (const Problem& problem) {
    throw Problem("the inputs " + BaseName(path) + " are no .npy file (" + problem.what() + ")");
  }
}

void NpyReader::ReadRow(size_t row, void* to) {
  const off_t at = static_cast<off_t>(data_at_) + static_cast<off_t>(row * row_bytes_);
  if (fseeko(file_.get(), at, SEEK_SET) != 0 ||
      std::fread(to, 1, row_bytes_, file_.get()) != row_bytes_) {
    throw Problem("the inputs " + BaseName(path_) + " changed while they were read");
  }
}

NpyWriter::NpyWriter(const std::string& path, const Element& element, const Shape& shape)
    : path_(path), file_(std::fopen(path.c_str(), "wb"), std::fclose) {
  if (file_ == nullptr) throw Problem(path + " cannot be written: " + std::strerror(errno));
  std::string text = std::string("{'descr': '") + element.descr +
                     "', 'fortran_order': False, 'shape': (";
  for (const int64_t size : shape) text += std::to_string(size) + ", ";
  if (shape.size() > 1) text.resize(text.size() - 2);
  if (shape.size() == 1) text.resize(text.size() - 1);
  text += "), }";
  const size_t head = kMagicBytes + 4;
  text.resize((head + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment - head - 1, ' ');
  text += '\n';
  std::string start(kMagic, kMagicBytes);
  start += {1, 0, static_cast<char>(text.size() & 0xFF), static_cast<char>(text.size() >> 8)};
  Append(start.data(), start.size());
  Append(text.data(), text.size());
}

void NpyWriter::Append(const void* data, size_t size) {
  if (std::fwrite(data, 1, size, file_.get()) != size) {
    throw Problem(path_ + " cannot be written: " + std::strerror(errno));
  }
}

void NpyWriter::Close() {
  if (std::fclose(file_.release()) != 0) {
    throw Problem(path_ + " cannot be written: " + std::strerror(errno));
  }
}

}  // namespace mobilekit
