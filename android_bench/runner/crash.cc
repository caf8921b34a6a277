#include "android_bench/runner/crash.h"

#include <signal.h>
#include <unistd.h>

#include <utility>
#include <vector>

namespace mobilekit {
namespace {

#if defined(__has_feature)  // clang's way to say it
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

constexpr size_t kStackBytes = 1 << 16;

// Two texts: a crash while one is exchanged prints the other.
struct Texts {
  std::string before, after;
};
Texts texts[2];
volatile sig_atomic_t current = 0;

const char* NameOf(int signal) {
  switch (signal) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGFPE: return "SIGFPE";
    case SIGILL: return "SIGILL";
    default: return "SIGABRT";
  }
}

void Write(const char* text, size_t size) {
  while (size > 0) {
    const ssize_t written = write(STDOUT_FILENO, text, size);
    if (written <= 0) return;
    text += written;
    size -= static_cast<size_t>(written);
  }
}

// Only calls what may be called inside a signal handler.
void OnCrash(int signal) {
  const Texts& text = texts[current];
  Write(text.before.data(), text.before.size());
  const char* name = NameOf(signal);
  size_t length = 0;
  while (name[length] != 0) ++length;
  Write(name, length);
  Write(text.after.data(), text.after.size());
  Write("\n", 1);
  _exit(kExitError);
}

void Install() {
  static std::vector<char> memory(kStackBytes);  // a stack that overflowed cannot be used
  stack_t stack{};
  stack.ss_sp = memory.data();
  stack.ss_size = memory.size();
  sigaltstack(&stack, nullptr);
  struct sigaction action{};
  action.sa_handler = OnCrash;
  action.sa_flags = SA_ONSTACK | static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    sigaction(signal, &action, nullptr);
  }
}

}  // namespace

void PrintOnCrash(std::string before, std::string after) {
  if (kSanitized) return;
  const int other = 1 - current;
  texts[other] = {std::move(before), std::move(after)};
  static bool installed = false;
  current = other;
  if (!installed) Install();
  installed = true;
}

}  // namespace mobilekit
