#include "android_bench/runner/delegation.h"

#include <set>

#include "android_bench/runner/problem.h"

namespace mobilekit {

Delegation DelegationOf(const std::vector<litert::ProfiledEvent>& events, size_t num_nodes,
                        size_t subgraph) {
  std::set<uint64_t> own;  // nodes that the runtime's kernels ran
  size_t partitions = 0;
  for (const litert::ProfiledEvent& event : events) {
    if (event.type == litert::kEventNode && event.subgraph == subgraph) {
      // A partition is a node too, behind those of the file: one that its delegate does not profile.
      if (event.index >= num_nodes) throw Problem("a delegate's profile lacks its operators");
      own.insert(event.index);
    }
    if (event.type == litert::kEventDelegateOperator && event.index == 0) ++partitions;
  }
  if ((own.size() == num_nodes) != (partitions == 0)) {
    throw Problem("the runtime's profile does not fit the model's graph");
  }
  return {num_nodes - own.size(), partitions};
}

}  // namespace mobilekit
