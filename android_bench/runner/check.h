// Checks of the unit tests. A failed one is printed and counted; main() returns Failures().

#ifndef ANDROID_BENCH_RUNNER_CHECK_H_
#define ANDROID_BENCH_RUNNER_CHECK_H_

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

inline int& Failures() {
  static int count = 0;
  return count;
}

#define CHECK(condition)                                                          \
  do {                                                                            \
    if (!(condition)) {                                                           \
      std::printf("%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);         \
      ++Failures();                                                               \
    }                                                                             \
  } while (false)

// That `expression` throws, with `part` in its sentence.
#define CHECK_THROWS(expression, part)                                            \
  do {                                                                            \
    std::string said;                                                             \
    try {                                                                         \
      static_cast<void>(expression);                                              \
    } catch (const std::exception& error) {                                       \
      said = error.what();                                                        \
    }                                                                             \
    if (said.find(part) == std::string::npos) {                                   \
      std::printf("%s:%d: %s said '%s'\n", __FILE__, __LINE__, #expression, said.c_str()); \
      ++Failures();                                                               \
    }                                                                             \
  } while (false)

// An empty folder of this test's own.
inline std::string TestFolder() {
  char name[] = "/tmp/mobilekit-test-XXXXXX";
  const char* made = mkdtemp(name);
  CHECK(made != nullptr);
  return name;
}

#endif  // ANDROID_BENCH_RUNNER_CHECK_H_
