// What this program uses of LiteRT's C API, declared by ourselves and resolved when it starts, so
// that it is built without LiteRT and runs with the library that lies on the device.
//
// A declaration here is a claim about a library that no compiler checks. It holds for the versions
// of `kSupportedVersions` and no other is used; CheckAbi() compares the types with what the
// library does, before a model is loaded.

#ifndef ANDROID_BENCH_RUNNER_LITERT_API_H_
#define ANDROID_BENCH_RUNNER_LITERT_API_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mobilekit {

// The library does not say its version: whoever starts this program does.
inline const std::vector<std::string>& SupportedVersions() {
  static const std::vector<std::string> versions = {"2.3.0"};
  return versions;
}

namespace litert {

using Status = int;
constexpr Status kOk = 0;

// Handles: the library's own objects.
using Environment = struct EnvironmentObject*;
using Model = struct ModelObject*;
using Signature = struct SignatureObject*;
using Subgraph = struct SubgraphObject*;
using TensorHandle = struct TensorObject*;
using Options = struct OptionsObject*;
using OpaqueOptions = struct OpaqueOptionsObject*;
using CompiledModel = struct CompiledModelObject*;
using Requirements = struct RequirementsObject*;
using Buffer = struct BufferObject*;
using Profiler = struct ProfilerObject*;
using Accelerator = struct AcceleratorObject*;

// Bits of a set.
constexpr int kAcceleratorCpu = 1;
constexpr int kAcceleratorGpu = 2;
constexpr int kAcceleratorNpu = 4;
constexpr int kBufferHostMemory = 1;
constexpr int kLockRead = 0;
constexpr int kLockWrite = 1;

constexpr int kMostDimensions = 8;

struct Layout {
  uint32_t rank_and_flag;  // bit 7 says whether there are strides
  int32_t dimensions[kMostDimensions];
  uint32_t strides[kMostDimensions];

  size_t rank() const { return rank_and_flag & 0x7F; }
};

struct RankedType {
  int32_t element;
  Layout layout;
};
static_assert(sizeof(RankedType) == 72, "the library's type has 72 bytes");

// An option of an environment.
struct EnvironmentOption {
  int32_t tag;
  struct {
    int32_t type;
    union {
      int64_t number;
      const char* text;
    };
  } value;
};
static_assert(sizeof(EnvironmentOption) == 24, "the library's option has 24 bytes");
constexpr int32_t kOptionPluginFolder = 0;     // of an NPU's compiler
constexpr int32_t kOptionDispatchFolder = 1;   // of the library that hands a graph to an NPU
constexpr int32_t kOptionRuntimeFolder = 22;   // of a GPU's accelerator
constexpr int32_t kOptionAccelerators = 24;    // which ones are looked for, as bits
constexpr int32_t kOptionTypeInteger = 2;
constexpr int32_t kOptionTypeText = 8;

struct MemoryUse {
  int64_t unused[3];
};

// One event of a profile.
struct ProfiledEvent {
  const char* tag;
  int32_t type;
  uint64_t start_us;
  uint64_t elapsed_us;
  MemoryUse before;
  MemoryUse after;
  uint64_t index;     // of the node, or of the operator inside a delegate's partition
  uint64_t subgraph;  // of a node
  int32_t source;
};
static_assert(sizeof(ProfiledEvent) == 104, "the library's event has 104 bytes");
constexpr int32_t kEventNode = 2;               // a kernel of the runtime ran a node
constexpr int32_t kEventDelegateOperator = 8;   // a delegate ran one of its own operators

}  // namespace litert

// One row a function: its result, its name behind "LiteRt", its arguments.
#define MOBILEKIT_LITERT_FUNCTIONS(F)                                                            \
  F(Status, CreateEnvironment, (int, const EnvironmentOption*, Environment*))                    \
  F(void, DestroyEnvironment, (Environment))                                                     \
  F(Status, CreateModelFromFile, (Environment, const char*, Model*))                             \
  F(void, DestroyModel, (Model))                                                                 \
  F(Status, GetNumModelSignatures, (Model, size_t*))                                             \
  F(Status, GetModelSignature, (Model, size_t, Signature*))                                      \
  F(Status, GetSignatureKey, (Signature, const char**))                                          \
  F(Status, GetSignatureSubgraph, (Signature, Subgraph*))                                        \
  F(Status, GetNumSignatureInputs, (Signature, size_t*))                                         \
  F(Status, GetSignatureInputName, (Signature, size_t, const char**))                            \
  F(Status, GetSignatureInputTensorByIndex, (Signature, size_t, TensorHandle*))                  \
  F(Status, GetNumSignatureOutputs, (Signature, size_t*))                                        \
  F(Status, GetSignatureOutputName, (Signature, size_t, const char**))                           \
  F(Status, GetSignatureOutputTensorByIndex, (Signature, size_t, TensorHandle*))                 \
  F(Status, GetNumSubgraphInputs, (Subgraph, size_t*))                                           \
  F(Status, GetSubgraphInput, (Subgraph, size_t, TensorHandle*))                                 \
  F(Status, GetNumSubgraphOutputs, (Subgraph, size_t*))                                          \
  F(Status, GetSubgraphOutput, (Subgraph, size_t, TensorHandle*))                                \
  F(Status, GetNumModelSubgraphs, (Model, size_t*))                                              \
  F(Status, GetModelSubgraph, (Model, size_t, Subgraph*))                                        \
  F(Status, GetNumSubgraphOps, (Subgraph, size_t*))                                              \
  F(Status, GetRankedTensorType, (TensorHandle, RankedType*))                                    \
  F(Status, CreateOptions, (Options*))                                                           \
  F(void, DestroyOptions, (Options))                                                             \
  F(Status, SetOptionsHardwareAccelerators, (Options, int))                                      \
  F(Status, CreateOpaqueOptions, (const char*, void*, void (*)(void*), OpaqueOptions*))          \
  F(Status, AddOpaqueOptions, (Options, OpaqueOptions))                                          \
  F(Status, CreateCompiledModel, (Environment, Model, Options, CompiledModel*))                  \
  F(void, DestroyCompiledModel, (CompiledModel))                                                 \
  F(Status, GetCompiledModelInputTensorLayout, (CompiledModel, size_t, size_t, Layout*))         \
  F(Status, GetCompiledModelOutputTensorLayouts, (CompiledModel, size_t, size_t, Layout*, bool)) \
  F(Status, GetCompiledModelInputBufferRequirements,                                             \
    (CompiledModel, size_t, size_t, Requirements*))                                              \
  F(Status, GetCompiledModelOutputBufferRequirements,                                            \
    (CompiledModel, size_t, size_t, Requirements*))                                              \
  F(Status, CompiledModelGetErrorMessages, (CompiledModel, char**))                              \
  F(Status, RunCompiledModel, (CompiledModel, size_t, size_t, Buffer*, size_t, Buffer*))         \
  F(Status, CreateManagedTensorBuffer, (Environment, int, const RankedType*, size_t, Buffer*))   \
  F(Status, CreateManagedTensorBufferFromRequirements,                                           \
    (Environment, const RankedType*, Requirements, Buffer*))                                     \
  F(Status, GetTensorBufferTensorType, (Buffer, RankedType*))                                    \
  F(Status, GetTensorBufferPackedSize, (Buffer, size_t*))                                        \
  F(Status, LockTensorBuffer, (Buffer, void**, int))                                             \
  F(Status, UnlockTensorBuffer, (Buffer))                                                        \
  F(void, DestroyTensorBuffer, (Buffer))                                                         \
  F(Status, CompiledModelGetProfiler, (CompiledModel, Profiler*))                                \
  F(Status, StartProfiler, (Profiler))                                                           \
  F(Status, StopProfiler, (Profiler))                                                            \
  F(Status, GetNumProfilerEvents, (Profiler, int*))                                              \
  F(Status, GetProfilerEvents, (Profiler, int, ProfiledEvent*))

// The same of functions that not every start needs: one that is missing is an error when it is.
#define MOBILEKIT_LITERT_OPTIONAL_FUNCTIONS(G)                                                   \
  G(Status, CompiledModelResizeInputTensor, (CompiledModel, size_t, size_t, const int*, size_t)) \
  G(Status, CompiledModelIsNonCpuFullyAccelerated, (CompiledModel, bool*))                       \
  G(Status, GetNumAccelerators, (Environment, size_t*))                                          \
  G(Status, GetAccelerator, (Environment, size_t, Accelerator*))                                 \
  G(Status, GetAcceleratorHardwareSupport, (Accelerator, int*))

namespace litert {

[[noreturn]] void ThrowMissing(const char* name, const char* what);

// The library's functions; of the optional ones, null where it lacks them.
struct Api {
#define MOBILEKIT_MEMBER(Result, Name, Arguments) Result(*Name) Arguments = nullptr;
  MOBILEKIT_LITERT_FUNCTIONS(MOBILEKIT_MEMBER)
  MOBILEKIT_LITERT_OPTIONAL_FUNCTIONS(MOBILEKIT_MEMBER)
#undef MOBILEKIT_MEMBER
};

// An optional function; throws Problem with its name and what needs it if the library lacks it.
template <typename Function>
Function Needed(Function function, const char* name, const char* what) {
  if (function == nullptr) ThrowMissing(name, what);
  return function;
}

// Opens the library at `path`; it stays open. Throws Problem if it cannot be opened, or names every
// function that it lacks.
Api LoadApi(const std::string& path);

// Where the library of `api` was found, as dlopen names it.
std::string PathOf(const Api& api);

// Throws Problem unless `version` is one of SupportedVersions().
void CheckVersion(const std::string& version);

// Throws Problem if the library's answers do not fit our declarations: sizes and numbers of the
// element types, the layout of shapes, the lock modes.
void CheckAbi(const Api& api);

// An environment that looks for these accelerators, as bits; for those beside the CPU's in `folder`.
// One that is not there is left out: AcceleratorsOf() tells. Throws Problem.
Environment CreateEnvironment(const Api& api, int accelerators, const std::string& folder);

// Those that an environment found, as bits. Throws Problem.
int AcceleratorsOf(const Api& api, Environment environment);

// Throws Problem unless `status` is fine; `what` is e.g. "the model cannot be loaded".
void Check(Status status, const std::string& what);

}  // namespace litert
}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_LITERT_API_H_
