#include "android_bench/runner/json.h"

#include <cmath>
#include <cstdio>

namespace mobilekit {
namespace {

// Length of the UTF-8 sequence that begins at `at`; 0 if there is none.
size_t SequenceLength(const std::string& text, size_t at) {
  const auto byte = [&](size_t offset) {
    return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0u;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  for (size_t offset = 1; offset < length; ++offset) {
    if ((byte(offset) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies above U+10FFFF.
  const unsigned second = byte(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;
  if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;
  return length;
}

std::string Microseconds(int64_t ns) {
  const char* sign = ns < 0 ? "-" : "";
  const uint64_t size = ns < 0 ? 0 - static_cast<uint64_t>(ns) : static_cast<uint64_t>(ns);
  char digits[32];
  std::snprintf(digits, sizeof(digits), "%s%llu.%03llu", sign,
                static_cast<unsigned long long>(size / 1000),
                static_cast<unsigned long long>(size % 1000));
  return digits;
}

}  // namespace

Json::Json(double value) : text_("null") {
  if (!std::isfinite(value)) return;
  char digits[32];
  std::snprintf(digits, sizeof(digits), "%.17g", value);
  text_ = digits;
}

Json Json::MicrosecondsOf(int64_t ns) {
  Json value;
  value.text_ = Microseconds(ns);
  return value;
}

Json Json::MicrosecondsOf(const std::vector<int64_t>& ns) {
  Json list;
  list.text_ = "[";
  for (const int64_t each : ns) {
    if (list.text_.size() > 1) list.text_ += ", ";
    list.text_ += Microseconds(each);
  }
  list.text_ += "]";
  return list;
}

Json& Json::operator[](const std::string& key) {
  kind_ = Kind::kObject;
  for (auto& member : members_) {
    if (member.first == key) return member.second;
  }
  members_.emplace_back(key, Json());
  return members_.back().second;
}

void Json::Push(Json element) {
  kind_ = Kind::kArray;
  members_.emplace_back(std::string(), std::move(element));
}

std::string Json::Text() const {
  std::string out;
  AppendTo(&out);
  return out;
}

void Json::AppendTo(std::string* out) const {
  if (kind_ == Kind::kScalar) {
    *out += text_;
    return;
  }
  const bool object = kind_ == Kind::kObject;
  *out += object ? '{' : '[';
  bool first = true;
  for (const auto& member : members_) {
    if (!first) *out += ", ";
    first = false;
    if (object) *out += Quoted(member.first) + ": ";
    member.second.AppendTo(out);
  }
  *out += object ? '}' : ']';
}

std::string Json::Quoted(const std::string& text) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    const size_t length = SequenceLength(text, at);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      ++at;
      continue;
    }
    const unsigned char first = static_cast<unsigned char>(text[at]);
    if (first == '"' || first == '\\') {
      out += '\\';
      out += text[at];
    } else if (first < 0x20 || first == 0x7F) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(first));
      out += escape;
    } else {
      out.append(text, at, length);
    }
    at += length;
  }
  return out + '"';
}

}  // namespace mobilekit
