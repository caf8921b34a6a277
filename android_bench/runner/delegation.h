// What a delegate took of a model: found out from a profile, or told by an accelerator.

#ifndef ANDROID_BENCH_RUNNER_DELEGATION_H_
#define ANDROID_BENCH_RUNNER_DELEGATION_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "android_bench/runner/litert_api.h"

namespace mobilekit {

struct Delegation {
  size_t nodes_delegated;
  std::optional<size_t> partitions;  // nothing where it is not known
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

// The same of an accelerator, which has no such profile (WebGPU's fails under the profiler), out of
// `said`: what it told the error reporter and standard error while it compiled. `fully` is LiteRT's
// answer whether it took every node; no others than such an accelerator are counted there.
//
// A GPU tells "1 operations will run on the GPU, and the remaining 2 operations ..." unless it took
// all; an NPU's compiler "Partitioned subgraph<0>, selected 65 ops, from a total of 66 ops. resulted
// in 2 partitions." and whether it then compiled them. Throws Problem if nothing is known.
Delegation DelegationOfAccelerator(const std::string& said, bool fully, size_t num_nodes,
                                   size_t subgraph);

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_DELEGATION_H_
