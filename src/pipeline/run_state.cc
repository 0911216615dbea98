#include "pipeline/run_state.h"

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
  batches_loaded.Increment();
  rows_loaded.Increment(static_cast<double>(load.rows));
  staged_bytes.Increment(bytes);
  last_load_seconds.Set(load.seconds);
  const std::lock_guard lock(mutex_);
  view_.last_load = load;
  view_.warehouse_trouble = {};
}

void RunState::choose(const TableChoice& choice) {
  {
    const std::lock_guard lock(mutex_);
    choice_ = choice;
    ++choices_;
  }
  tables.look_at_publication();
}

std::optional<TableChoice> RunState::choice_after(std::uint64_t& number) const {
  const std::lock_guard lock(mutex_);
  return std::exchange(number, choices_) == choices_ ? std::nullopt : choice_;
}

void RunState::choose_for_stream(const TableChoice& choice) {
  const std::lock_guard lock(mutex_);
  choice_for_stream_ = choice;
}

std::optional<TableChoice> RunState::take_choice_for_stream() {
  const std::lock_guard lock(mutex_);
  return std::exchange(choice_for_stream_, std::nullopt);
}

void RunState::left_out(std::vector<LeftOut> found) {
  const std::lock_guard lock(mutex_);
  view_.left_out = std::move(found);
}

RunState::View RunState::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

}  // namespace re_dms
