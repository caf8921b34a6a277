// A .tflite file, loaded and compiled for the CPU, and its invocations.

#ifndef ANDROID_BENCH_RUNNER_MODEL_H_
#define ANDROID_BENCH_RUNNER_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "android_bench/runner/element.h"
#include "android_bench/runner/litert_api.h"

namespace mobilekit {

using Bytes = std::vector<uint8_t>;

// An input or output of a signature.
struct Tensor {
  std::string name;  // in the signature
  const Element* element;
  Shape shape;
  size_t bytes;
  size_t slot;  // its place among the buffers of an invocation
};

// How long the parts of an invocation took.
struct Sample {
  int64_t write_ns;
  int64_t invoke_ns;
  int64_t read_ns;

  int64_t total_ns() const { return write_ns + invoke_ns + read_ns; }
};

struct CompileOptions {
  bool xnnpack;         // otherwise LiteRT's built-in kernels
  int num_threads;
  bool profiling;       // slows every operator
  std::string signature;  // its key; empty means the first
};

// A created environment; models must not outlive it.
class RuntimeEnvironment {
 public:
  explicit RuntimeEnvironment(const litert::Api& api)
      : api_(api), environment_(litert::CreateCpuEnvironment(api)) {}
  ~RuntimeEnvironment() { api_.DestroyEnvironment(environment_); }
  RuntimeEnvironment(const RuntimeEnvironment&) = delete;
  RuntimeEnvironment& operator=(const RuntimeEnvironment&) = delete;

  const litert::Api& api() const { return api_; }
  litert::Environment get() const { return environment_; }

 private:
  const litert::Api& api_;
  litert::Environment environment_;
};

class Model {
 public:
  // Loads, compiles and makes the buffers; throws Problem.
  Model(const RuntimeEnvironment& environment, const std::string& path,
        const CompileOptions& options);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // In the order of the signature's graph, as LiteRT's Interpreter lists them.
  const std::vector<Tensor>& inputs() const { return inputs_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }
  // Nodes of the signature's graph, as the file has them.
  size_t num_nodes() const { return num_nodes_; }
  // Index of that graph in the file.
  size_t subgraph() const { return subgraph_; }

  // Writes `values` (one an input, of its size), invokes, reads the outputs into `outputs` (one an
  // output, of its size). Throws Problem.
  Sample Invoke(const std::vector<Bytes>& values, std::vector<Bytes>* outputs);
  // Vectors of the outputs' sizes.
  std::vector<Bytes> OutputBytes() const;

  // Invokes once under the profiler, which must have been compiled in.
  std::vector<litert::ProfiledEvent> Profile(const std::vector<Bytes>& values);
  // The same as `Invoke`; the events hold until the next call.
  Sample InvokeProfiled(const std::vector<Bytes>& values, std::vector<Bytes>* outputs,
                        std::vector<litert::ProfiledEvent>* events);

 private:
  void Load(const std::string& path, const std::string& signature);
  void Compile(const CompileOptions& options);
  void MakeBuffers(bool input);
  std::vector<litert::TensorHandle> GraphOrder(bool input);
  // The status and what the runtime said about it.
  [[noreturn]] void Fail(litert::Status status, const std::string& what);
  void Release();

  const litert::Api& api_;
  litert::Environment environment_;
  litert::Model model_ = nullptr;
  litert::CompiledModel compiled_ = nullptr;
  litert::Signature signature_ = nullptr;
  size_t signature_index_ = 0;
  size_t subgraph_ = 0;
  litert::Subgraph graph_ = nullptr;
  size_t num_nodes_ = 0;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  std::vector<litert::Buffer> input_buffers_;
  std::vector<litert::Buffer> output_buffers_;
};

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_MODEL_H_
