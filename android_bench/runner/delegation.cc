#include "android_bench/runner/delegation.h"

#include <cstdio>
#include <set>

#include "android_bench/runner/problem.h"

namespace mobilekit {
namespace {

// The line that begins with `mark`, behind it; the last one, or null.
const char* Behind(const std::string& said, const std::string& mark) {
  const size_t at = said.rfind(mark);
  return at == std::string::npos ? nullptr : said.c_str() + at + mark.size();
}

// What a GPU tells when it did not take all.
std::optional<Delegation> ToldByGpu(const std::string& said, size_t num_nodes) {
  static const std::string none = "No operations will run on the GPU";
  static const std::string mark = " operations will run on the GPU, and the remaining ";
  if (said.find(none) != std::string::npos) return Delegation{0, 0};
  const size_t at = said.rfind(mark);
  if (at == std::string::npos) return std::nullopt;
  const size_t line = said.find_last_of('\n', at);
  const size_t begin = line == std::string::npos ? 0 : line + 1;
  size_t taken = 0, left = 0;
  if (std::sscanf(said.c_str() + begin, "%zu", &taken) != 1 ||
      std::sscanf(said.c_str() + at + mark.size(), "%zu", &left) != 1 ||
      taken + left != num_nodes) {
    throw Problem("what the GPU's accelerator tells of its nodes does not fit the model's graph");
  }
  return Delegation{taken, std::nullopt};
}

// What an NPU's compiler tells.
std::optional<Delegation> ToldByNpu(const std::string& said, size_t num_nodes, size_t subgraph) {
  const std::string mark = "Partitioned subgraph<" + std::to_string(subgraph) + ">, selected ";
  const char* line = Behind(said, mark);
  if (line == nullptr) return std::nullopt;
  size_t taken = 0, total = 0, partitions = 0;
  if (std::sscanf(line, "%zu ops, from a total of %zu ops. resulted in %zu", &taken, &total,
                  &partitions) != 3 ||
      total != num_nodes || taken > total) {
    throw Problem("what the NPU's compiler tells of its nodes does not fit the model's graph");
  }
  if (said.find(" 0 compiler plugins were applied successfully") != std::string::npos) {
    return Delegation{0, 0};
  }
  return Delegation{taken, partitions};
}

}  // namespace

Delegation DelegationOfAccelerator(const std::string& said, bool fully, size_t num_nodes,
                                   size_t subgraph) {
  std::optional<Delegation> told = ToldByGpu(said, num_nodes);
  if (!told) told = ToldByNpu(said, num_nodes, subgraph);
  // Nodes that are all taken are neighbours, so they are one partition.
  if (!told && fully) told = Delegation{num_nodes, 1};
  if (!told) throw Problem("LiteRT's C API does not say how many nodes an accelerator left");
  if (fully != (told->nodes_delegated == num_nodes)) {
    throw Problem("the accelerator and LiteRT contradict each other about the nodes taken");
  }
  return *told;
}

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
