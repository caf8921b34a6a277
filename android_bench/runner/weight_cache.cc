#include "android_bench/runner/weight_cache.h"

#include <sys/stat.h>

#include <utility>

#include "android_bench/runner/folders.h"

namespace mobilekit {

WeightCache::WeightCache(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  const size_t slash = path_.rfind('/');
  if (slash != std::string::npos && slash > 0) MakeFolders(path_.substr(0, slash));
  before_ = Look();
}

std::optional<WeightCache::Mark> WeightCache::Look() const {
  struct stat found {};
  if (stat(path_.c_str(), &found) != 0 || found.st_size == 0) return std::nullopt;
  return Mark(found.st_ino, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
}

Json WeightCache::State(Json* unread) const {
  if (path_.empty()) return Json();
  const std::optional<Mark> after = Look();
  if (!after) {
    (*unread)["cache"] = "XNNPACK wrote no weights; it packed none, or may not write there";
    return Json();
  }
  return before_ == after ? "warm" : "cold";
}

}  // namespace mobilekit
