#include "android_bench/runner/libraries.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "android_bench/runner/folders.h"
#include "android_bench/runner/problem.h"
#include "android_bench/runner/sha256.h"

namespace mobilekit {
namespace {

// Puts `folder` before what the variable has; whether it was not there yet.
bool Prepend(const char* variable, const std::string& folder, char separator) {
  const char* value = std::getenv(variable);
  const std::string old = value == nullptr ? "" : value;
  if (old == folder || old.compare(0, folder.size() + 1, folder + separator) == 0) return false;
  setenv(variable, (old.empty() ? folder : folder + separator + old).c_str(), 1);
  return true;
}

}  // namespace

void SearchIn(const std::string& folder, char** argv) {
  Prepend("ADSP_LIBRARY_PATH", folder, ';');
  if (!Prepend("LD_LIBRARY_PATH", folder, ':')) return;
  execv("/proc/self/exe", argv);
  throw Problem("the program cannot be started anew for --libraries: " +
                std::string(std::strerror(errno)));
}

std::string Sha256OfFolder(const std::string& folder) {
  Sha256 total;
  for (const std::string& name : FilesIn(folder)) {
    const std::string line = name + '\0' + Sha256OfFile(folder + "/" + name) + '\n';
    total.Update(line.data(), line.size());
  }
  return total.Hex();
}

}  // namespace mobilekit
