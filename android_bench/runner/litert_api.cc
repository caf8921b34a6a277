#include "android_bench/runner/litert_api.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>

#include "android_bench/runner/element.h"
#include "android_bench/runner/problem.h"

namespace mobilekit::litert {
namespace {

// What the library's numbers of failure mean, where that helps; it has no function that tells.
struct StatusText {
  Status status;
  const char* text;
};
constexpr StatusText kStatusTexts[] = {
    {1, "an invalid argument"},
    {2, "not enough memory"},
    {3, "a failure of the runtime"},
    {5, "not supported"},
    {6, "not found"},
    {500, "the file cannot be read"},
    {501, "it is no valid .tflite file"},
    {504, "it cannot be compiled"},
    {1001, "an invalid type"},
    {1002, "an invalid graph"},
};

RankedType TypeOf(const Element& element) {
  RankedType type{};
  type.element = element.litert;
  type.layout.rank_and_flag = 2;
  type.layout.dimensions[0] = 2;
  type.layout.dimensions[1] = 3;
  return type;
}

bool BehavesAsDeclared(const Api& api, Environment environment, const Element& element) {
  const RankedType type = TypeOf(element);
  const size_t bytes = 6 * element.bytes;
  Buffer buffer = nullptr;
  if (api.CreateManagedTensorBuffer(environment, kBufferHostMemory, &type, bytes, &buffer) != kOk) {
    return false;
  }
  RankedType told[2] = {};  // one more, should the library's type be larger
  size_t packed = 0;
  void* memory = nullptr;
  bool good = api.GetTensorBufferTensorType(buffer, told) == kOk &&
              api.GetTensorBufferPackedSize(buffer, &packed) == kOk && packed == bytes &&
              told[0].element == type.element && told[0].layout.rank() == 2 &&
              std::memcmp(told[0].layout.dimensions, type.layout.dimensions, 8) == 0;
  if (good) {
    good = api.LockTensorBuffer(buffer, &memory, kLockWrite) == kOk && memory != nullptr;
    if (good) std::memset(memory, 0x5A, bytes);
    good = good && api.UnlockTensorBuffer(buffer) == kOk &&
           api.LockTensorBuffer(buffer, &memory, kLockRead) == kOk && memory != nullptr;
    if (good) {
      const auto* read = static_cast<const uint8_t*>(memory);
      good = std::all_of(read, read + bytes, [](uint8_t byte) { return byte == 0x5A; });
      good = api.UnlockTensorBuffer(buffer) == kOk && good;
    }
  }
  api.DestroyTensorBuffer(buffer);
  return good;
}

}  // namespace

Api LoadApi(const std::string& path) {
  // RTLD_NOW: what the library itself lacks is said here, not in the middle of a run.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    throw Problem("the runtime cannot be opened: " + std::string(reason ? reason : path));
  }
  Api api;
  std::string missing;
#define MOBILEKIT_RESOLVE(Result, Name, Arguments)                                  \
  api.Name = reinterpret_cast<Result(*) Arguments>(dlsym(library, "LiteRt" #Name)); \
  if (api.Name == nullptr) missing += std::string(missing.empty() ? "" : ", ") + "LiteRt" #Name;
  MOBILEKIT_LITERT_FUNCTIONS(MOBILEKIT_RESOLVE)
#undef MOBILEKIT_RESOLVE
#define MOBILEKIT_RESOLVE(Result, Name, Arguments) \
  api.Name = reinterpret_cast<Result(*) Arguments>(dlsym(library, "LiteRt" #Name));
  MOBILEKIT_LITERT_OPTIONAL_FUNCTIONS(MOBILEKIT_RESOLVE)
#undef MOBILEKIT_RESOLVE
  if (!missing.empty()) {
    throw Problem(path + " lacks " + missing + ": it is no LiteRT that this runner can use");
  }
  return api;
}

std::string PathOf(const Api& api) {
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(api.CreateEnvironment), &info) == 0 || !info.dli_fname) {
    throw Problem("it is not known where the runtime lies");
  }
  return info.dli_fname;
}

void CheckVersion(const std::string& version) {
  const auto& known = SupportedVersions();
  if (std::find(known.begin(), known.end(), version) != known.end()) return;
  std::string list;
  for (const std::string& each : known) list += (list.empty() ? "" : ", ") + each;
  throw Problem("LiteRT " + (version.empty() ? "of an unknown version" : version) +
                " is not supported; this runner was tested with " + list);
}

Environment CreateEnvironment(const Api& api, int accelerators, const std::string& folder) {
  std::vector<EnvironmentOption> options(1);
  options[0].tag = kOptionAccelerators;
  options[0].value.type = kOptionTypeInteger;
  options[0].value.number = accelerators;
  for (const int32_t tag : {kOptionRuntimeFolder, kOptionDispatchFolder, kOptionPluginFolder}) {
    if (accelerators == kAcceleratorCpu) continue;
    EnvironmentOption option{};
    option.tag = tag;
    option.value.type = kOptionTypeText;
    option.value.text = folder.c_str();
    options.push_back(option);
  }
  Environment environment = nullptr;
  Check(api.CreateEnvironment(static_cast<int>(options.size()), options.data(), &environment),
        "the runtime cannot be started");
  return environment;
}

int AcceleratorsOf(const Api& api, Environment environment) {
  const char* what = "this delegate";
  const auto number = Needed(api.GetNumAccelerators, "GetNumAccelerators", what);
  const auto get = Needed(api.GetAccelerator, "GetAccelerator", what);
  const auto support =
      Needed(api.GetAcceleratorHardwareSupport, "GetAcceleratorHardwareSupport", what);
  const std::string strange = "the runtime's accelerators cannot be read";
  size_t count = 0;
  Check(number(environment, &count), strange);
  int found = 0;
  for (size_t index = 0; index < count; ++index) {
    Accelerator accelerator = nullptr;
    int bits = 0;
    Check(get(environment, index, &accelerator), strange);
    Check(support(accelerator, &bits), strange);
    found |= bits;
  }
  return found;
}

void ThrowMissing(const char* name, const char* what) {
  throw Problem("the runtime lacks LiteRt" + std::string(name) + ", which " + what + " needs");
}

void CheckAbi(const Api& api) {
  Environment environment = CreateEnvironment(api, kAcceleratorCpu, "");
  std::string wrong;
  for (const Element& element : Elements()) {
    if (!BehavesAsDeclared(api, environment, element)) wrong += std::string(" ") + element.name;
  }
  api.DestroyEnvironment(environment);
  if (!wrong.empty()) {
    throw Problem("the runtime treats tensors otherwise than LiteRT " + SupportedVersions().back() +
                  " (" + wrong.substr(1) + "); is it another version?");
  }
}

void Check(Status status, const std::string& what) {
  if (status == kOk) return;
  std::string reason = "LiteRT's status " + std::to_string(status);
  for (const StatusText& row : kStatusTexts) {
    if (row.status == status) reason += std::string(", ") + row.text;
  }
  throw Problem(what + " (" + reason + ")");
}

}  // namespace mobilekit::litert
