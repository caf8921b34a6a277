// The time of every operator, as a mean over profiled invocations.

#ifndef ANDROID_BENCH_RUNNER_PROFILE_H_
#define ANDROID_BENCH_RUNNER_PROFILE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "android_bench/runner/json.h"
#include "android_bench/runner/litert_api.h"

namespace mobilekit {

class Profile {
 public:
  // `subgraph` and `num_nodes` are those of the graph that is invoked.
  Profile(size_t subgraph, size_t num_nodes, std::string delegate)
      : subgraph_(subgraph), num_nodes_(num_nodes), delegate_(std::move(delegate)) {}

  // Adds the events of one invocation. What ran inside another graph, that of a loop or a
  // condition, is part of the node that ran it. Throws Problem if other operators ran than before.
  void Add(const std::vector<litert::ProfiledEvent>& events);
  // Forgets what was added.
  void Clear();
  // The document's "profile". Throws Problem if nothing was added.
  Json Rows() const;

 private:
  // One operator: a node that the runtime's own kernel ran, or an operator of a delegate, which
  // are numbered from 0 in every partition.
  struct Row {
    uint64_t node;
    std::string op;
    std::optional<size_t> partition;  // of a delegate's
    uint64_t total_us;
  };

  std::vector<Row> RowsOf(const std::vector<litert::ProfiledEvent>& events) const;

  size_t subgraph_;
  size_t num_nodes_;
  std::string delegate_;
  std::vector<Row> rows_;
  size_t invocations_ = 0;
};

}  // namespace mobilekit

#endif  // ANDROID_BENCH_RUNNER_PROFILE_H_
