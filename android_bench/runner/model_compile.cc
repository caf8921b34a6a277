// The part of Model that tells LiteRT how to compile.

#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "android_bench/runner/model.h"
#include "android_bench/runner/problem.h"
#include "android_bench/runner/said.h"

namespace mobilekit {
namespace {

using litert::Check;
using litert::kOk;

// Adds an option that the runtime reads as a text of its own format, TOML.
void AddText(const litert::Api& api, litert::Options options, const char* identifier,
             const std::string& text) {
  litert::OpaqueOptions opaque = nullptr;
  char* payload = strdup(text.c_str());
  if (payload == nullptr) throw Problem("not enough memory");
  const litert::Status created = api.CreateOpaqueOptions(identifier, payload, std::free, &opaque);
  if (created != kOk) std::free(payload);
  Check(created, "the runtime refuses an option");
  Check(api.AddOpaqueOptions(options, opaque), "the runtime refuses an option");
}

// A text of TOML; what stands in it must need no escapes.
std::string Quoted(const std::string& text) {
  for (const char byte : text) {
    if (byte == '"' || byte == '\\' || static_cast<unsigned char>(byte) < 0x20) {
      throw Problem("a file's name with quotes or backslashes cannot be told to the runtime: " +
                    text);
    }
  }
  return '"' + text + '"';
}

}  // namespace

RuntimeEnvironment::RuntimeEnvironment(const litert::Api& api, const DelegateKind& delegate,
                                       const std::string& libraries)
    : api_(api), libraries_(libraries) {
  if (delegate.accelerators == litert::kAcceleratorCpu) {
    environment_ = litert::CreateEnvironment(api, litert::kAcceleratorCpu, "");
    return;
  }
  const std::string needs = std::string(delegate.name) + " needs " + delegate.library;
  if (libraries.empty()) throw Problem(needs + " in the folder of --libraries");
  environment_ =
      litert::CreateEnvironment(api, delegate.accelerators | litert::kAcceleratorCpu, libraries_);
  int found = 0;
  try {
    found = litert::AcceleratorsOf(api, environment_);
  } catch (const Problem&) {
    api_.DestroyEnvironment(environment_);
    throw;
  }
  if ((found & delegate.accelerators) == 0) {
    api_.DestroyEnvironment(environment_);
    throw Problem(needs + ", and the runtime could use none in " + libraries);
  }
}

void Model::Compile(const CompileOptions& options) {
  litert::Options made = nullptr;
  Check(api_.CreateOptions(&made), "the runtime refuses an option");
  const std::unique_ptr<std::remove_pointer_t<litert::Options>, void (*)(litert::Options)> kept(
      made, api_.DestroyOptions);
  const DelegateKind& delegate = FindDelegate(options.delegate);
  const bool on_cpu = delegate.accelerators == litert::kAcceleratorCpu;
  // An accelerator is asked first; XNNPACK gets what it leaves, as it would in an app.
  Check(api_.SetOptionsHardwareAccelerators(made, delegate.accelerators | litert::kAcceleratorCpu),
        "the runtime refuses the delegate");
  std::string text = "num_threads = " + std::to_string(options.num_threads) + "\n";
  if (options.delegate == "none") text += "kernel_mode = \"builtin\"\n";
  if (!options.weight_cache.empty()) {
    text += "weight_cache_file_path = " + Quoted(options.weight_cache) + "\n";
  }
  const std::string own = TextOf(delegate, options.options);
  AddText(api_, made, "xnnpack", on_cpu ? text + own : text);
  if (!on_cpu && !own.empty()) AddText(api_, made, delegate.identifier, own);
  // Mode 2 keeps what the kernels say, for GetErrorMessages.
  std::string runtime = "error_reporter_mode = 2\n";
  if (options.profiling) runtime += "enable_profiling = true\n";
  AddText(api_, made, "runtime_options_string", runtime);
  std::optional<Listening> listening;
  if (!on_cpu) listening.emplace();
  const litert::Status status = api_.CreateCompiledModel(environment_, model_, made, &compiled_);
  if (listening) said_ = listening->Stop();
  if (listening && status == kOk) said_ += Messages();
  const std::string reason = status == kOk ? "" : ErrorOf(said_);
  Check(status, "the model cannot be compiled" + (reason.empty() ? "" : ": " + reason));
}

void Model::Resize(const InputShapes& shapes) {
  const std::string strange = "the model's inputs cannot be read";
  size_t count = 0;
  Check(api_.GetNumSignatureInputs(signature_, &count), strange);
  std::vector<std::string> names(count);
  for (size_t index = 0; index < count; ++index) {
    const char* name = nullptr;
    Check(api_.GetSignatureInputName(signature_, index, &name), strange);
    names[index] = name;
  }
  CheckNames(shapes, names);
  for (size_t index = 0; index < count; ++index) {
    litert::TensorHandle handle = nullptr;
    litert::RankedType type{};
    Check(api_.GetSignatureInputTensorByIndex(signature_, index, &handle), strange);
    Check(api_.GetRankedTensorType(handle, &type), strange);
    const std::string& name = names[index];
    const Shape described = ShapeOf(type.layout, name);
    const auto given = shapes.find(name);
    if (given == shapes.end()) {
      if (!NeedsShape(described)) continue;
      throw Problem("the shape of input '" + name + "' is not fixed, " + ToText(described) +
                    "; give it with --shape " + name + "=...");
    }
    CheckShape(name, described, given->second);
    if (given->second == described) continue;
    const std::vector<int> sizes(given->second.begin(), given->second.end());
    const litert::Status status = litert::Needed(
        api_.CompiledModelResizeInputTensor, "CompiledModelResizeInputTensor", "--shape")(
        compiled_, signature_index_, index, sizes.data(), sizes.size());
    if (status != kOk) Fail(status, "the runtime refuses the shape of '" + name + "'");
  }
}

}  // namespace mobilekit
