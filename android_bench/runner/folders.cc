#include "android_bench/runner/folders.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "android_bench/runner/problem.h"

namespace mobilekit {

void MakeFolders(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (mkdir(parent.c_str(), 0777) != 0 && errno != EEXIST) {
      throw Problem(parent + " cannot be made: " + std::strerror(errno));
    }
    if (slash == std::string::npos) break;
  }
}

std::vector<std::string> FilesIn(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(folder.c_str()), closedir);
  if (!open) throw Problem(folder + " cannot be read: " + std::strerror(errno));
  std::vector<std::string> names;
  while (const dirent* entry = readdir(open.get())) {
    struct stat found {};
    const std::string name = entry->d_name;
    if (stat((folder + "/" + name).c_str(), &found) == 0 && S_ISREG(found.st_mode)) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace mobilekit
