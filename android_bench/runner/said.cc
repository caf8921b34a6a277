#include "android_bench/runner/said.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>

namespace mobilekit {
namespace {

constexpr size_t kMost = 1 << 20;
constexpr size_t kMostOfLine = 400;

std::string Line(const std::string& text, size_t from) {
  return text.substr(from, text.find_first_of("\r\n", from) - from).substr(0, kMostOfLine);
}

}  // namespace

Listening::Listening() {
  std::fflush(stderr);
  // Not memfd_create(): Android's C library has it only since version 11.
  kept_ = static_cast<int>(syscall(SYS_memfd_create, "said", 0));
  if (kept_ < 0) return;
  usual_ = dup(STDERR_FILENO);
  if (usual_ < 0 || dup2(kept_, STDERR_FILENO) < 0) {
    close(kept_);
    kept_ = -1;
  }
}

Listening::~Listening() { Stop(); }

std::string Listening::Stop() {
  std::string text;
  if (kept_ >= 0) {
    std::fflush(stderr);
    dup2(usual_, STDERR_FILENO);
    char block[4096];
    for (off_t at = 0; text.size() < kMost;) {
      const ssize_t count = pread(kept_, block, sizeof(block), at);
      if (count <= 0) break;
      text.append(block, static_cast<size_t>(count));
      at += count;
    }
    std::fwrite(text.data(), 1, text.size(), stderr);
    close(kept_);
  }
  if (usual_ >= 0) close(usual_);
  kept_ = usual_ = -1;
  return text;
}

std::optional<std::string> HardwareOf(const std::string& said) {
  struct Mark {
    std::string text;
    std::string prefix;
  };
  static const Mark marks[] = {{"Selected adapter: ", ""},
                               {"Using Intel OpenVINO device: ", "OpenVINO device "}};
  for (const Mark& mark : marks) {
    const size_t at = said.rfind(mark.text);
    if (at != std::string::npos) return mark.prefix + Line(said, at + mark.text.size());
  }
  return std::nullopt;
}

std::string ErrorOf(const std::string& said) {
  const size_t at = said.rfind("ERROR: ");
  if (at == std::string::npos) return "";
  std::string line = Line(said, at + 7);
  const size_t place = line.find("] ");  // "[compiled_model.cc:829] ..."
  if (!line.empty() && line[0] == '[' && place != std::string::npos) line = line.substr(place + 2);
  return line;
}

}  // namespace mobilekit
