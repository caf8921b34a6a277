#include "android_bench/runner/delegates.h"

#include "android_bench/runner/litert_api.h"
#include "android_bench/runner/problem.h"

namespace mobilekit {
namespace {

using litert::kAcceleratorCpu;
using litert::kAcceleratorGpu;
using litert::kAcceleratorNpu;

constexpr DelegateKind kDelegates[] = {
    {"xnnpack", kAcceleratorCpu, "xnnpack", ""},
    {"none", kAcceleratorCpu, "xnnpack", ""},
    {"gpu-mldrift", kAcceleratorGpu, "gpu_options", "a libLiteRt*Accelerator.so"},
    {"openvino", kAcceleratorNpu, "intel_openvino", "libLiteRtDispatch_IntelOpenvino.so"},
    {"qualcomm", kAcceleratorNpu, "qualcomm", "libLiteRtDispatch_Qualcomm.so"},
    {"mediatek", kAcceleratorNpu, "mediatek", "libLiteRtDispatch_MediaTek.so"},
};

// One value of an option, and its line for LiteRT. mobilekit/core/target.py has the same rows.
struct OptionRow {
  const char* delegate;
  const char* name;
  const char* value;
  const char* text;
};
constexpr OptionRow kOptions[] = {
    // The flag 4 forces float16; 1, 2 and 8 are LiteRT's own, which any flags replace.
    {"xnnpack", "fp16", "true", "flags = 15\n"},
    {"gpu-mldrift", "precision", "fp16", "precision = 1\n"},
    {"gpu-mldrift", "precision", "fp32", "precision = 2\n"},
    {"openvino", "backend", "cpu", "graph.0.graph_backend = 0\n"},
    {"openvino", "backend", "gpu", "graph.0.graph_backend = 1\n"},
    {"openvino", "backend", "npu", "graph.0.graph_backend = 2\n"},
};

void Add(std::string* list, const std::string& item) {
  *list += (list->empty() ? "" : ", ") + item;
}

[[noreturn]] void Refuse(const DelegateKind& kind, const std::string& name,
                         const std::string& value) {
  std::string names, values, last;
  for (const OptionRow& row : kOptions) {
    if (row.delegate != std::string(kind.name)) continue;
    if (row.name != last) Add(&names, row.name);
    last = row.name;
    if (row.name == name) Add(&values, row.value);
  }
  if (!values.empty()) {
    throw UsageProblem("--option: '" + value + "' is no value of " + name + "; it takes " + values);
  }
  throw UsageProblem("--option: delegate " + std::string(kind.name) + " has no option '" + name +
                     "'" + (names.empty() ? "" : "; it has " + names));
}

}  // namespace

std::string DelegateNames() {
  std::string names;
  for (const DelegateKind& kind : kDelegates) Add(&names, kind.name);
  return names;
}

const DelegateKind& FindDelegate(const std::string& name) {
  const std::string base = name.substr(0, name.find('@'));
  for (const DelegateKind& kind : kDelegates) {
    if (kind.name == base) return kind;
  }
  throw UsageProblem("'" + name + "' is not one of " + DelegateNames());
}

std::string TextOf(const DelegateKind& kind, const DelegateOptions& options) {
  std::string text;
  for (const auto& [name, value] : options) {
    const OptionRow* found = nullptr;
    for (const OptionRow& row : kOptions) {
      if (kind.name == std::string(row.delegate) && name == row.name && value == row.value) {
        found = &row;
      }
    }
    if (found == nullptr) Refuse(kind, name, value);
    text += found->text;
  }
  return text;
}

}  // namespace mobilekit
