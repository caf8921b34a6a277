// A JSON value that is built and printed, never parsed.

#ifndef ANDROID_BENCH_RUNNER_JSON_H_
#define ANDROID_BENCH_RUNNER_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace mobilekit {

class Json {
 public:
  Json() : text_("null") {}
  Json(std::nullptr_t) : Json() {}
  Json(bool value) : text_(value ? "true" : "false") {}
  // Infinity and NaN, which JSON cannot write, become null.
  Json(double value);
  Json(const char* value) : text_(Quoted(value)) {}
  Json(const std::string& value) : text_(Quoted(value)) {}
  template <typename Integer, typename = std::enable_if_t<std::is_integral_v<Integer> &&
                                                          !std::is_same_v<Integer, bool>>>
  Json(Integer value) : text_(std::to_string(value)) {}

  static Json Object() { return Json(Kind::kObject); }
  static Json Array() { return Json(Kind::kArray); }
  // Microseconds with all the digits that the clock has.
  static Json MicrosecondsOf(int64_t ns);
  // An array of those, kept as text: of a long run there are millions.
  static Json MicrosecondsOf(const std::vector<int64_t>& ns);

  // The member of an object; a new one is null and stands last.
  Json& operator[](const std::string& key);
  // Adds an element to an array.
  void Push(Json element);
  bool empty() const { return members_.empty(); }
  // On one line, as UTF-8.
  std::string Text() const;

  // A JSON string; bytes that are no UTF-8 become U+FFFD.
  static std::string Quoted(const std::string& text);

 private:
  enum class Kind { kScalar, kArray, kObject };
  explicit Json(Kind kind) : kind_(kind) {}
  void AppendTo(std::string* out) const;

  Kind kind_ = Kind::kScalar;
  std::string text_;                                   // of a scalar, as it is printed
  std::vector<std::pair<std::string, Json>> members_;  // an array's have empty keys
};

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_JSON_H_
