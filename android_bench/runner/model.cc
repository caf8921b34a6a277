#include "android_bench/runner/model.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "android_bench/runner/problem.h"
#include "android_bench/runner/stopwatch.h"

namespace mobilekit {
namespace {

using litert::Check;
using litert::kOk;

constexpr size_t kMostTensors = 4096;  // of one signature; more is a file that lies

std::string OneLine(const std::string& text) {
  std::string line;
  for (const char byte : text.substr(0, 400)) {
    line += byte == '\n' || byte == '\r' || byte == '\t' ? ' ' : byte;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace

Model::Model(const RuntimeEnvironment& environment, const std::string& path,
             const CompileOptions& options)
    : api_(environment.api()), environment_(environment.get()) {
  try {
    Load(path, options.signature);
    Compile(options);
    Resize(options.shapes);
    MakeBuffers(true);
    MakeBuffers(false);
  } catch (...) {
    Release();
    throw;
  }
}

Model::~Model() { Release(); }

void Model::Release() {
  for (const litert::Buffer buffer : input_buffers_) {
    if (buffer != nullptr) api_.DestroyTensorBuffer(buffer);
  }
  for (const litert::Buffer buffer : output_buffers_) {
    if (buffer != nullptr) api_.DestroyTensorBuffer(buffer);
  }
  if (compiled_ != nullptr) api_.DestroyCompiledModel(compiled_);
  if (model_ != nullptr) api_.DestroyModel(model_);
}

void Model::Load(const std::string& path, const std::string& signature) {
  Check(api_.CreateModelFromFile(environment_, path.c_str(), &model_),
        "the model cannot be loaded");
  const std::string strange = "the model's signatures cannot be read";
  size_t count = 0;
  Check(api_.GetNumModelSignatures(model_, &count), strange);
  std::string keys;
  for (size_t index = 0; index < count && signature_ == nullptr; ++index) {
    litert::Signature candidate = nullptr;
    const char* key = nullptr;
    Check(api_.GetModelSignature(model_, index, &candidate), strange);
    Check(api_.GetSignatureKey(candidate, &key), strange);
    keys += (keys.empty() ? "" : ", ") + std::string(key);
    if (signature.empty() || signature == key) {
      signature_ = candidate;
      signature_index_ = index;
    }
  }
  if (signature_ == nullptr) {
    throw Problem(count == 0 ? "the model has no graph that can be run"
                             : "the model has no signature '" + signature + "'; it has " + keys);
  }
  Check(api_.GetSignatureSubgraph(signature_, &graph_), strange);
  Check(api_.GetNumSubgraphOps(graph_, &num_nodes_), strange);
  size_t graphs = 0;
  Check(api_.GetNumModelSubgraphs(model_, &graphs), strange);
  for (size_t index = 0; index < graphs; ++index) {
    litert::Subgraph graph = nullptr;
    Check(api_.GetModelSubgraph(model_, index, &graph), strange);
    if (graph == graph_) subgraph_ = index;
  }
}

std::vector<litert::TensorHandle> Model::GraphOrder(bool input) {
  size_t count = 0;
  Check((input ? api_.GetNumSubgraphInputs : api_.GetNumSubgraphOutputs)(graph_, &count),
        "the model's graph cannot be read");
  if (count > kMostTensors) throw Problem("the model has too many inputs or outputs");
  std::vector<litert::TensorHandle> tensors(count);
  for (size_t index = 0; index < count; ++index) {
    Check((input ? api_.GetSubgraphInput : api_.GetSubgraphOutput)(graph_, index, &tensors[index]),
          "the model's graph cannot be read");
  }
  return tensors;
}

void Model::MakeBuffers(bool input) {
  const std::string strange = "the model's inputs and outputs cannot be read";
  const std::vector<litert::TensorHandle> graph = GraphOrder(input);
  size_t count = 0;
  Check((input ? api_.GetNumSignatureInputs : api_.GetNumSignatureOutputs)(signature_, &count),
        strange);
  if (count != graph.size()) {
    throw Problem("the signature does not have all inputs and outputs of its graph");
  }
  std::vector<litert::Layout> layouts(count);
  if (input) {
    for (size_t index = 0; index < count; ++index) {
      Check(api_.GetCompiledModelInputTensorLayout(compiled_, signature_index_, index,
                                                   &layouts[index]),
            strange);
    }
  } else if (count > 0) {
    const litert::Status status = api_.GetCompiledModelOutputTensorLayouts(
        compiled_, signature_index_, count, layouts.data(), true);
    if (status != kOk) Fail(status, "the model's tensors cannot be allocated");
  }
  std::vector<litert::Buffer>& buffers = input ? input_buffers_ : output_buffers_;
  std::vector<Tensor>& tensors = input ? inputs_ : outputs_;
  buffers.assign(count, nullptr);
  tensors.resize(count);
  for (size_t index = 0; index < count; ++index) {
    litert::TensorHandle handle = nullptr;
    const char* name = nullptr;
    litert::RankedType type{};
    Check((input ? api_.GetSignatureInputTensorByIndex
                 : api_.GetSignatureOutputTensorByIndex)(signature_, index, &handle),
          strange);
    Check((input ? api_.GetSignatureInputName : api_.GetSignatureOutputName)(signature_, index,
                                                                             &name),
          strange);
    Check(api_.GetRankedTensorType(handle, &type), strange);
    const auto place = std::find(graph.begin(), graph.end(), handle);
    if (place == graph.end()) throw Problem(strange);
    type.layout = layouts[index];
    Tensor& tensor = tensors[static_cast<size_t>(place - graph.begin())];
    tensor.name = name;
    tensor.element = FindElement(type.element);
    tensor.shape = ShapeOf(type.layout, tensor.name);
    tensor.slot = index;
    if (tensor.element == nullptr) {
      throw Problem("'" + tensor.name + "' has a type that this runner does not know (LiteRT's " +
                    std::to_string(type.element) + ")");
    }
    tensor.bytes = ElementCount(tensor.shape) * tensor.element->bytes;
    litert::Requirements requirements = nullptr;
    Check((input ? api_.GetCompiledModelInputBufferRequirements
                 : api_.GetCompiledModelOutputBufferRequirements)(compiled_, signature_index_,
                                                                  index, &requirements),
          strange);
    Check(api_.CreateManagedTensorBufferFromRequirements(environment_, &type, requirements,
                                                         &buffers[index]),
          "there is no memory for '" + tensor.name + "'");
    size_t packed = 0;
    Check(api_.GetTensorBufferPackedSize(buffers[index], &packed), strange);
    if (packed != tensor.bytes) {
      throw Problem("'" + tensor.name + "' has " + std::to_string(packed) + " bytes, not the " +
                    std::to_string(tensor.bytes) + " of " + tensor.element->name + " " +
                    ToText(tensor.shape));
    }
  }
}

Sample Model::Invoke(const std::vector<Bytes>& values, std::vector<Bytes>* outputs) {
  void* memory = nullptr;
  const int64_t start = NowNs();
  for (size_t position = 0; position < inputs_.size(); ++position) {
    const litert::Buffer buffer = input_buffers_[inputs_[position].slot];
    Check(api_.LockTensorBuffer(buffer, &memory, litert::kLockWrite), "an input is locked");
    std::memcpy(memory, values[position].data(), inputs_[position].bytes);
    Check(api_.UnlockTensorBuffer(buffer), "an input is locked");
  }
  const int64_t written = NowNs();
  const litert::Status status =
      api_.RunCompiledModel(compiled_, signature_index_, input_buffers_.size(),
                            input_buffers_.data(), output_buffers_.size(), output_buffers_.data());
  const int64_t invoked = NowNs();
  if (status != kOk) Fail(status, "the model cannot be run");
  for (size_t position = 0; position < outputs_.size(); ++position) {
    const litert::Buffer buffer = output_buffers_[outputs_[position].slot];
    Check(api_.LockTensorBuffer(buffer, &memory, litert::kLockRead), "an output is locked");
    std::memcpy((*outputs)[position].data(), memory, outputs_[position].bytes);
    Check(api_.UnlockTensorBuffer(buffer), "an output is locked");
  }
  return {written - start, invoked - written, NowNs() - invoked};
}

std::vector<Bytes> Model::OutputBytes() const {
  std::vector<Bytes> bytes;
  for (const Tensor& tensor : outputs_) bytes.emplace_back(tensor.bytes);
  return bytes;
}

std::vector<litert::ProfiledEvent> Model::Profile(const std::vector<Bytes>& values) {
  std::vector<Bytes> outputs = OutputBytes();
  std::vector<litert::ProfiledEvent> events;
  InvokeProfiled(values, &outputs, &events);
  return events;
}

Sample Model::InvokeProfiled(const std::vector<Bytes>& values, std::vector<Bytes>* outputs,
                             std::vector<litert::ProfiledEvent>* events) {
  const std::string none = "the runtime gives no profile";
  litert::Profiler profiler = nullptr;
  Check(api_.CompiledModelGetProfiler(compiled_, &profiler), none);
  Check(api_.StartProfiler(profiler), none);
  const Sample sample = Invoke(values, outputs);
  Check(api_.StopProfiler(profiler), none);
  int count = 0;
  Check(api_.GetNumProfilerEvents(profiler, &count), none);
  if (count <= 0) throw Problem(none);
  events->resize(static_cast<size_t>(count));
  Check(api_.GetProfilerEvents(profiler, count, events->data()), none);
  return sample;
}

std::string Model::Messages() {
  char* messages = nullptr;
  if (api_.CompiledModelGetErrorMessages(compiled_, &messages) != kOk || messages == nullptr) {
    return "";
  }
  const std::string text = messages;
  std::free(messages);
  return text;
}

bool Model::IsFullyAccelerated() const {
  bool fully = false;
  Check(litert::Needed(api_.CompiledModelIsNonCpuFullyAccelerated,
                       "CompiledModelIsNonCpuFullyAccelerated", "this delegate")(compiled_, &fully),
        "the runtime does not say whether its accelerator took every node");
  return fully;
}

void Model::Fail(litert::Status status, const std::string& what) {
  const std::string said = OneLine(Messages());
  Check(status, said.empty() ? what : what + ": " + said);
  throw Problem(what);
}

}  // namespace mobilekit
