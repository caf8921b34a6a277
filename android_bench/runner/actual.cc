#include "android_bench/runner/actual.h"

#include <optional>
#include <string>

#include "android_bench/runner/delegates.h"
#include "android_bench/runner/delegation.h"
#include "android_bench/runner/problem.h"
#include "android_bench/runner/said.h"

namespace mobilekit {
namespace {

// Of the CPU: a second model, compiled like the measured one but with the profiler, is invoked
// once. The profiler would slow the measured one.
Delegation Profiled(const Measured& measured) {
  CompileOptions options = measured.options;
  options.profiling = true;
  Model model(measured.environment, measured.arguments.model, options);
  return DelegationOf(model.Profile(measured.values), model.num_nodes(), model.subgraph());
}

void FillHardware(const Model& model, Json* document) {
  const std::optional<std::string> hardware = HardwareOf(model.said());
  (*document)["actual"]["hardware"] = hardware ? Json(*hardware) : Json();
  if (!hardware) {
    (*document)["unread"]["actual.hardware"] = "the accelerator did not say which it chose";
  }
}

void FillFound(const Delegation& found, const Arguments& arguments, size_t total, Json* document) {
  Json& actual = (*document)["actual"];
  actual["delegate"] = found.nodes_delegated > 0 ? arguments.delegate : "none";
  actual["nodes_delegated"] = found.nodes_delegated;
  actual["partitions"] = found.partitions ? Json(*found.partitions) : Json();
  if (!found.partitions) {
    (*document)["unread"]["actual.partitions"] = "the accelerator tells its nodes alone";
  }
  if (arguments.require_delegate && found.nodes_delegated != total) {
    (*document)["error"] = arguments.delegate + " took " + std::to_string(found.nodes_delegated) +
                           " of " + std::to_string(total) +
                           " nodes, and --require-delegate allows no others";
  }
}

}  // namespace

void FillActual(const Measured& measured, const Model& model, Json* document) {
  const Arguments& arguments = measured.arguments;
  const bool on_cpu = FindDelegate(arguments.delegate).accelerators == litert::kAcceleratorCpu;
  Json& actual = (*document)["actual"];
  actual["nodes_total"] = model.num_nodes();
  if (!on_cpu) FillHardware(model, document);
  try {
    const Delegation found =
        on_cpu ? Profiled(measured)
               : DelegationOfAccelerator(model.said(), model.IsFullyAccelerated(),
                                         model.num_nodes(), model.subgraph());
    FillFound(found, arguments, model.num_nodes(), document);
  } catch (const Problem& problem) {
    for (const char* field : {"delegate", "nodes_delegated", "partitions"}) {
      actual[field] = nullptr;
      (*document)["unread"][std::string("actual.") + field] = problem.what();
    }
    if (arguments.require_delegate) {
      (*document)["error"] = std::string("it is not known whether ") + arguments.delegate +
                             " took every node: " + problem.what();
    }
  }
}

}  // namespace mobilekit
