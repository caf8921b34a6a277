#include "android_bench/runner/profile.h"

#include "android_bench/runner/problem.h"

namespace mobilekit {

std::vector<Profile::Row> Profile::RowsOf(const std::vector<litert::ProfiledEvent>& events) const {
  std::vector<Row> rows;
  size_t partitions = 0;
  for (const litert::ProfiledEvent& event : events) {
    const bool of_delegate = event.type == litert::kEventDelegateOperator;
    if (event.subgraph != subgraph_ || !(of_delegate || event.type == litert::kEventNode)) continue;
    // A partition whose delegate does not profile its operators is a node behind those of the file.
    const bool whole_partition = !of_delegate && event.index >= num_nodes_;
    if (whole_partition || (of_delegate && event.index == 0)) ++partitions;
    if (of_delegate && partitions == 0) throw Problem("a delegate's profile lacks its beginning");
    const bool delegated = of_delegate || whole_partition;
    rows.push_back({event.index, event.tag == nullptr ? "" : event.tag,
                    delegated ? std::optional<size_t>(partitions - 1) : std::nullopt,
                    event.elapsed_us});
  }
  return rows;
}

void Profile::Add(const std::vector<litert::ProfiledEvent>& events) {
  std::vector<Row> rows = RowsOf(events);
  if (invocations_++ == 0) {
    rows_ = std::move(rows);
    return;
  }
  bool same = rows.size() == rows_.size();
  for (size_t i = 0; same && i < rows.size(); ++i) {
    same = rows[i].node == rows_[i].node && rows[i].op == rows_[i].op &&
           rows[i].partition == rows_[i].partition;
    rows_[i].total_us += rows[i].total_us;
  }
  if (!same) throw Problem("two invocations ran different operators, so they have no mean");
}

void Profile::Clear() {
  rows_.clear();
  invocations_ = 0;
}

Json Profile::Rows() const {
  if (rows_.empty()) throw Problem("the runtime's profile has no operators");
  Json list = Json::Array();
  for (const Row& row : rows_) {
    Json object = Json::Object();
    object["node"] = row.node;
    object["op"] = row.op;
    object["delegate"] = row.partition ? Json(delegate_) : Json();
    object["partition"] = row.partition ? Json(*row.partition) : Json();
    object["us"] = static_cast<double>(row.total_us) / static_cast<double>(invocations_);
    list.Push(std::move(object));
  }
  return list;
}

}  // namespace mobilekit
