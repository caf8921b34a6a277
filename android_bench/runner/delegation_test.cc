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

constexpr int32_t kNode = litert::kEventNode, kOperator = litert::kEventDelegateOperator;

}  // namespace

int main() {
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
