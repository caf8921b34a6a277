#include "android_bench/runner/run.h"

#include <initializer_list>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "android_bench/runner/actual.h"
#include "android_bench/runner/affinity.h"
#include "android_bench/runner/crash.h"
#include "android_bench/runner/delegates.h"
#include "android_bench/runner/folders.h"
#include "android_bench/runner/libraries.h"
#include "android_bench/runner/load.h"
#include "android_bench/runner/model_file.h"
#include "android_bench/runner/npy.h"
#include "android_bench/runner/problem.h"
#include "android_bench/runner/sha256.h"
#include "android_bench/runner/stopwatch.h"
#include "android_bench/runner/timed.h"
#include "android_bench/runner/weight_cache.h"

namespace mobilekit {
namespace {

constexpr int kSchema = 1;
constexpr char kName[] = "native";
constexpr char kVersion[] = "2";
constexpr char kSignalHere[] = "@signal@";

Json Nulls(std::initializer_list<const char*> fields) {
  Json object = Json::Object();
  for (const char* field : fields) object[field] = nullptr;
  return object;
}

Json Skeleton(const Arguments& arguments) {
  Json document = Json::Object();
  document["schema"] = kSchema;
  Json& runner = document["runner"];
  runner["name"] = kName;
  runner["version"] = kVersion;
  runner["sha256"] = Sha256OfFile("/proc/self/exe");
  Json& runtime = document["runtime"];
  runtime["name"] = "litert";
  runtime["version"] = arguments.library_version;
  runtime["sha256"] = "";
  runtime["api"] = "compiled_model";
  document["context"] = arguments.context;
  document["model_sha256"] = "";
  Json& requested = document["requested"];
  requested["delegate"] = arguments.delegate;
  requested["num_threads"] = arguments.num_threads;
  requested["affinity"] = arguments.affinity.empty() ? Json() : Json(arguments.affinity);
  Json& options = requested["options"] = Json::Object();
  for (const auto& [name, value] : arguments.options) options[name.c_str()] = value;
  if (!arguments.weight_cache.empty()) options["weight_cache"] = "true";
  document["actual"] = Nulls({"delegate", "nodes_delegated", "nodes_total", "partitions"});
  Json& inputs = document["inputs"];
  inputs["source"] = "";
  inputs["sha256"] = Json::Array();
  document["init_us"] = 0.0;
  document["first_us"] = 0.0;
  for (const char* list : {"warmup_us", "latencies_us", "write_input_us", "read_output_us"}) {
    document[list] = Json::Array();
  }
  document["memory"] =
      Nulls({"vm_hwm_bytes", "rss_anon_bytes", "rss_file_bytes", "delegate_bytes"});
  document["conditions"]["before"] = Json::Object();
  document["conditions"]["after"] = Json::Object();
  document["output_sha256"] = Json::Array();
  document["outputs"] = nullptr;
  document["profile"] = nullptr;
  document["error"] = nullptr;
  document["busy_share"] = nullptr;
  document["clock_resolution_ns"] = nullptr;
  document["unread"] = Json::Object();
  return document;
}

// From now on a crash is the document's error: "the runtime crashed with SIGSEGV while ...".
void Stage(const Json& document, const std::string& doing) {
  Json crashed = document;
  crashed["error"] = "the runtime crashed with " + std::string(kSignalHere) + " while " + doing;
  const std::string text = crashed.Text();
  const size_t at = text.find(kSignalHere);
  PrintOnCrash(text.substr(0, at), text.substr(at + sizeof(kSignalHere) - 1));
}

Json Totals(const std::vector<Sample>& samples) {
  std::vector<int64_t> list;
  for (const Sample& sample : samples) list.push_back(sample.total_ns());
  return Json::MicrosecondsOf(list);
}

Json Parts(const std::vector<Sample>& samples, int64_t Sample::*part) {
  std::vector<int64_t> list;
  for (const Sample& sample : samples) list.push_back(sample.*part);
  return Json::MicrosecondsOf(list);
}

// Runs every input of the stacks once; writes one output_<k>.npy, (count, ...), an output.
void WriteOutputs(Model* model, Inputs* inputs, const std::string& folder) {
  MakeFolders(folder);
  std::vector<NpyWriter> files;
  for (size_t position = 0; position < model->outputs().size(); ++position) {
    const Tensor& tensor = model->outputs()[position];
    Shape shape = tensor.shape;
    shape.insert(shape.begin(), static_cast<int64_t>(inputs->count()));
    files.emplace_back(folder + "/output_" + std::to_string(position) + ".npy", *tensor.element,
                       shape);
  }
  std::vector<Bytes> outputs = model->OutputBytes();
  for (size_t index = 0; index < inputs->count(); ++index) {
    model->Invoke(inputs->Read(index), &outputs);
    for (size_t position = 0; position < files.size(); ++position) {
      files[position].Append(outputs[position].data(), outputs[position].size());
    }
  }
  for (NpyWriter& file : files) file.Close();
}

void FillTimes(const Timing& timing, const Arguments& arguments, Json* document) {
  (*document)["first_us"] = Json::MicrosecondsOf(timing.first.total_ns());
  (*document)["warmup_us"] = Totals(timing.warmup);
  (*document)["warmup_settled"] = timing.warmup_settled ? Json(*timing.warmup_settled) : Json();
  (*document)["latencies_us"] = Totals(timing.measured);
  (*document)["write_input_us"] = Parts(timing.measured, &Sample::write_ns);
  (*document)["read_output_us"] = Parts(timing.measured, &Sample::read_ns);
  if (arguments.timing.paced_fps > 0) {
    (*document)["paced"]["fps"] = arguments.timing.paced_fps;
    (*document)["paced"]["missed_deadlines"] = timing.missed_deadlines;
  }
}

litert::Api OpenRuntime(const Arguments& arguments, Json* document) {
  Json& runtime = (*document)["runtime"];
  litert::CheckVersion(arguments.library_version);
  // A name without a folder is searched by dlopen; its bytes are then found in the map of memory.
  const bool named = arguments.library.find('/') != std::string::npos;
  if (named) runtime["sha256"] = Sha256OfFile(arguments.library);
  if (!arguments.libraries.empty()) runtime["sha256"] = Sha256OfFolder(arguments.libraries);
  Stage(*document, "the library was opened");
  const litert::Api api = litert::LoadApi(arguments.library);
  if (!named && arguments.libraries.empty()) runtime["sha256"] = Sha256OfFile(litert::PathOf(api));
  litert::CheckAbi(api);
  return api;
}

std::string DigestOf(const Bytes& bytes) {
  Sha256 total;
  total.Update(bytes.data(), bytes.size());
  return total.Hex();
}

// Measures; what is around the run is read before and after.
void FillMeasured(const Arguments& arguments, const Proc& proc, const BusyClock& clock,
                  const std::vector<Bytes>& values, Model* model, LoadModel* beside,
                  Json* document) {
  Json* unread = &(*document)["unread"];
  std::vector<Bytes> outputs = model->OutputBytes();
  const Proc sensors(arguments.sysfs_root);
  const Json before = sensors.Conditions(unread);
  Stage(*document, "the model was run");
  const Timing timing = RunTimed(arguments, values, model, beside, &outputs, document);
  const std::optional<double> busy = clock.BusyShare();
  (*document)["busy_share"] = busy ? Json(*busy) : Json();
  if (!busy) (*unread)["busy_share"] = "/proc/stat cannot be read";
  (*document)["memory"] = proc.Memory(unread);
  const std::optional<int64_t> threads = proc.Threads();
  (*document)["threads"] = threads ? Json(*threads) : Json();
  (*document)["conditions"]["before"] = before;
  (*document)["conditions"]["after"] = sensors.Conditions(unread);
  if (!arguments.sysfs_root.empty()) {
    (*unread)["conditions"] = "simulated: read below --sysfs-root, no sensors of this device";
  }
  FillTimes(timing, arguments, document);
  const int64_t resolution = ClockResolutionNs();
  (*document)["clock_resolution_ns"] = resolution > 0 ? Json(resolution) : Json();
  if (resolution == 0) (*unread)["clock_resolution_ns"] = "the clock did not move";
  for (const Bytes& output : outputs) (*document)["output_sha256"].Push(DigestOf(output));
}

void Fill(const Arguments& arguments, const Proc& proc, const BusyClock& clock, Json* document) {
  if (!arguments.affinity.empty()) SetAffinity(ProcessorsOf(arguments.affinity));
  Json& processors = (*document)["processors"] = Json::Array();
  for (const int processor : AllowedProcessors()) processors.Push(processor);
  const litert::Api api = OpenRuntime(arguments, document);
  if (arguments.probe) return;
  (*document)["model_sha256"] = Sha256OfFile(arguments.model);
  CheckModelFile(arguments.model);
  const RuntimeEnvironment environment(api, FindDelegate(arguments.delegate), arguments.libraries);
  const CompileOptions options = {arguments.delegate,    arguments.options,   arguments.weight_cache,
                                  arguments.num_threads, arguments.signature, arguments.shapes,
                                  arguments.profile};
  Stage(*document, "the model was loaded");
  const WeightCache cache(arguments.weight_cache);
  const int64_t start = NowNs();
  Model model(environment, arguments.model, options);
  (*document)["init_us"] = Json::MicrosecondsOf(NowNs() - start);
  (*document)["cache"] = cache.State(&(*document)["unread"]);
  Inputs inputs(model.inputs(), arguments.inputs);
  const std::vector<Bytes> values = inputs.Read(0);
  std::optional<LoadModel> beside;
  if (!arguments.load.empty()) beside.emplace(api, arguments.load, arguments.load_threads);
  FillMeasured(arguments, proc, clock, values, &model, beside ? &*beside : nullptr, document);
  (*document)["inputs"]["source"] = inputs.source();
  for (const std::string& digest : inputs.Sha256OfStacks()) {
    (*document)["inputs"]["sha256"].Push(digest);
  }
  if (!arguments.outputs.empty()) {
    WriteOutputs(&model, &inputs, arguments.outputs);
    (*document)["outputs"]["path"] = arguments.outputs;
  }
  Stage(*document, "a profile was made");
  FillActual({environment, arguments, options, values}, model, document);
}

}  // namespace

Json Run(const Arguments& arguments, const Proc& proc, const BusyClock& clock) {
  Json document = Json::Object();
  try {
    document = Skeleton(arguments);
    Fill(arguments, proc, clock, &document);
  } catch (const Problem& problem) {
    document["error"] = problem.what();
  } catch (const std::bad_alloc&) {
    document["error"] = "there is not enough memory";
  }
  return document;
}

}  // namespace mobilekit
