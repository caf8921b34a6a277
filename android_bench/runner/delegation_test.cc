#include "android_bench/runner/delegation.h"

#include "android_bench/runner/check.h"

using namespace mobilekit;

namespace {

litert::ProfiledEvent Event(int32_t type, uint64_t index, uint64_t subgraph = 0) {
  litert::ProfiledEvent event{};
  event.type = type;
  event.index = index;
  event.subgraph = subgraph;
  return event;
}

const char kGpu[] =
    "Following operations are not supported by GPU delegate:\nLOG_SOFTMAX: Not supported.\n"
    "1 operations will run on the GPU, and the remaining 2 operations will run on the CPU.\n";
const char kNpu[] =
    "INFO: [compiler_plugin.cc:742] Partitioned subgraph<0>, selected 65 ops, from a total of 66 "
    "ops. resulted in 2 partitions.\n"
    "INFO: [compiled_model.cc:1397] 1 compiler plugins were applied successfully: x\n";
const char kNpuFailed[] =
    "INFO: [compiler_plugin.cc:742] Partitioned subgraph<0>, selected 3 ops, from a total of 3 "
    "ops. resulted in 1 partitions.\n"
    "INFO: [compiled_model.cc:1397] 0 compiler plugins were applied successfully: \n";

void Accelerators() {
  Delegation found = DelegationOfAccelerator("", true, 5, 0);
  CHECK(found.nodes_delegated == 5 && found.partitions == 1);
  found = DelegationOfAccelerator(kGpu, false, 3, 0);
  CHECK(found.nodes_delegated == 1 && !found.partitions);
  const std::string none = "No operations will run on the GPU, and all 2 operations will run on the CPU.";
  found = DelegationOfAccelerator(none, false, 2, 0);
  CHECK(found.nodes_delegated == 0 && found.partitions == 0);
  found = DelegationOfAccelerator(kNpu, false, 66, 0);
  CHECK(found.nodes_delegated == 65 && found.partitions == 2);
  found = DelegationOfAccelerator(kNpuFailed, false, 3, 0);  // a silent fallback
  CHECK(found.nodes_delegated == 0 && found.partitions == 0);
  // Nothing said, and not all taken.
  CHECK_THROWS(DelegationOfAccelerator("", false, 5, 0), "does not say how many");
  CHECK_THROWS(DelegationOfAccelerator(kNpu, false, 66, 1), "does not say how many");
  // Contradictions.
  CHECK_THROWS(DelegationOfAccelerator(kGpu, false, 4, 0), "does not fit");
  CHECK_THROWS(DelegationOfAccelerator(kNpu, false, 65, 0), "does not fit");
  CHECK_THROWS(DelegationOfAccelerator(kGpu, true, 3, 0), "contradict");
}

constexpr int32_t kNode = litert::kEventNode, kOperator = litert::kEventDelegateOperator;

}  // namespace

int main() {
  Accelerators();
  // All of three nodes; a delegate may run more operators than there were nodes.
  Delegation found = DelegationOf(
      {Event(1, 0), Event(kOperator, 0), Event(kOperator, 1), Event(kOperator, 2),
       Event(kOperator, 3), Event(32, ~0ull)},
      3, 0);
  CHECK(found.nodes_delegated == 3 && found.partitions == 1);
  // Two partitions around a node that the runtime ran.
  found = DelegationOf({Event(kOperator, 0), Event(kNode, 2), Event(kOperator, 0)}, 6, 0);
  CHECK(found.nodes_delegated == 5 && found.partitions == 2);
  // Nothing; a node inside another graph (of a loop) is not counted.
  found = DelegationOf({Event(kNode, 0), Event(kNode, 1), Event(kNode, 0, 1)}, 2, 0);
  CHECK(found.nodes_delegated == 0 && found.partitions == 0);
  // Contradictions.
  CHECK_THROWS(DelegationOf({Event(kNode, 0)}, 2, 0), "does not fit");
  CHECK_THROWS(DelegationOf({Event(kNode, 0), Event(kOperator, 0)}, 1, 0), "does not fit");
  CHECK_THROWS(DelegationOf({Event(kNode, 5)}, 2, 0), "lacks its operators");
  return Failures();
}
