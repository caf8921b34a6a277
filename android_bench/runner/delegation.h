// What a delegate took of a model, found out from a profile.

#ifndef ANDROID_BENCH_RUNNER_DELEGATION_H_
#define ANDROID_BENCH_RUNNER_DELEGATION_H_

#include <cstddef>
#include <vector>

#include "android_bench/runner/litert_api.h"

namespace mobilekit {

struct Delegation {
  size_t nodes_delegated;
  size_t partitions;
};

// LiteRT's C API does not say which nodes a delegate took; its "is fully accelerated" is true while
// kernels of the CPU run beside an accelerator. But a profiled invocation has one event for every
// node that the runtime's own kernels ran, and for every operator that a delegate ran, numbered
// from 0 in each partition. What was not run by the runtime was run by the delegate.
//
// `num_nodes` and `subgraph` are those of the graph that was invoked. Throws Problem if the events
// contradict that: then nothing is known.
Delegation DelegationOf(const std::vector<litert::ProfiledEvent>& events, size_t num_nodes,
                        size_t subgraph);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_DELEGATION_H_
