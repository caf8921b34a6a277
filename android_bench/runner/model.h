// A .tflite file, loaded and compiled for a delegate, and its invocations.

#ifndef ANDROID_BENCH_RUNNER_MODEL_H_
#define ANDROID_BENCH_RUNNER_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "android_bench/runner/delegates.h"
#include "android_bench/runner/element.h"
#include "android_bench/runner/litert_api.h"
#include "android_bench/runner/shapes.h"

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
  std::string delegate;      // a name of delegates.h
  DelegateOptions options;
  std::string weight_cache;  // file; empty means none
  int num_threads;
  std::string signature;     // its key; empty means the first
  InputShapes shapes;
  bool profiling;            // slows every operator
};

// A created environment; models must not outlive it.
class RuntimeEnvironment {
 public:
  // Looks for what `delegate` needs in the folder `libraries`; throws Problem if it is not there.
  RuntimeEnvironment(const litert::Api& api, const DelegateKind& delegate,
                     const std::string& libraries);
  ~RuntimeEnvironment() { api_.DestroyEnvironment(environment_); }
  RuntimeEnvironment(const RuntimeEnvironment&) = delete;
  RuntimeEnvironment& operator=(const RuntimeEnvironment&) = delete;

  const litert::Api& api() const { return api_; }
  litert::Environment get() const { return environment_; }

 private:
  const litert::Api& api_;
  std::string libraries_;  // the runtime may keep the pointer
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
  // What was said, on standard error and to the error reporter, while an accelerator compiled.
  const std::string& said() const { return said_; }
  // Whether accelerators beside the CPU's took every node; throws Problem.
  bool IsFullyAccelerated() const;

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
  void Resize(const InputShapes& shapes);
  void MakeBuffers(bool input);
  std::vector<litert::TensorHandle> GraphOrder(bool input);
  std::string Messages();
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
  std::string said_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  std::vector<litert::Buffer> input_buffers_;
  std::vector<litert::Buffer> output_buffers_;
};

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_MODEL_H_
