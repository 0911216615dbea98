#include "pipeline/run_state.h"

#include <algorithm>
#include <utility>

namespace re_dms {

namespace {

void note(Trouble& trouble, std::string text) {
  if (trouble.text.empty() && !text.empty()) {
    trouble.since = real_clock().now();
  }
  trouble.text = std::move(text);
}

}  // namespace

void RunState::source_trouble(std::string text) {
  const std::lock_guard lock(mutex_);
  view_.source_ready = view_.source_ready && text.empty();
  note(view_.source_trouble, std::move(text));
}

void RunState::warehouse_trouble(std::string text) {
  const std::lock_guard lock(mutex_);
  note(view_.warehouse_trouble, std::move(text));
}

void RunState::stage_trouble(std::string text) {
  const std::lock_guard lock(mutex_);
  note(view_.stage_trouble, std::move(text));
}

void RunState::source_ready() {
  const std::lock_guard lock(mutex_);
  view_.source_ready = true;
  view_.source_trouble = {};
}

void RunState::warehouse_ready(std::string description) {
  const std::lock_guard lock(mutex_);
  view_.warehouse_ready = true;
  view_.warehouse = std::move(description);
  view_.warehouse_trouble = {};
}

void RunState::stopping() {
  const std::lock_guard lock(mutex_);
  view_.stopping = true;
}

void RunState::loaded(const LoadSummary& load, double bytes) {
  batches_loaded.add();
  rows_loaded.add(static_cast<double>(load.rows));
  staged_bytes.add(bytes);
  last_load_seconds.set(load.seconds);
  const std::lock_guard lock(mutex_);
  view_.last_load = load;
  view_.warehouse_trouble = {};
}

void RunState::table_live(Oid oid, std::string name) {
  const std::lock_guard lock(mutex_);
  view_.live[oid] = std::move(name);
}

void RunState::table_set_aside(const SetAside& table) {
  const std::lock_guard lock(mutex_);
  view_.live.erase(table.oid);
  const bool known = std::any_of(view_.not_live.begin(), view_.not_live.end(),
                                 [&](const SetAside& each) { return each.oid == table.oid; });
  if (!known) {
    view_.not_live.push_back(table);
  }
}

void RunState::tables(std::map<Oid, std::string> live, std::vector<SetAside> not_live) {
  const std::lock_guard lock(mutex_);
  view_.live = std::move(live);
  view_.not_live = std::move(not_live);
}

void RunState::left_out(std::vector<LeftOut> tables) {
  const std::lock_guard lock(mutex_);
  view_.left_out = std::move(tables);
}

RunState::View RunState::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

bool RunState::has_set_aside() const {
  const std::lock_guard lock(mutex_);
  return !view_.not_live.empty();
}

}  // namespace re_dms
