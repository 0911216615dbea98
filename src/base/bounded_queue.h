// The only way two threads of the pipeline hand values to each other.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace re_dms {

/// A queue bounded by the number and by the total weight (bytes) of its items. An item heavier than
/// the bound is accepted when the queue is empty, so a single large one cannot block for ever.
/// Closed by the writer: pops drain what is left and then return nothing.
template <typename T>
class BoundedQueue {
 public:
  BoundedQueue(std::size_t items_max, std::size_t weight_max)
      : items_max_(items_max), weight_max_(weight_max) {}

  /// Blocks until there is room. False when stopped or closed: the value is then still the
  /// caller's.
  bool push(T& value, std::size_t weight, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, stop, [&] { return closed_ || has_room(weight); });
    return enqueue(value, weight, lock);
  }

  /// As push, but gives up after `patience`.
  template <typename Rep, typename Period>
  bool push_for(T& value, std::size_t weight, const std::stop_token& stop,
                std::chrono::duration<Rep, Period> patience) {
    std::unique_lock lock(mutex_);
    room_.wait_for(lock, stop, patience, [&] { return closed_ || has_room(weight); });
    return enqueue(value, weight, lock);
  }

  /// Blocks until there is an item. Nothing when stopped, or closed and empty.
  std::optional<T> pop(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, stop, [&] { return closed_ || !items_.empty(); });
    return dequeue(stop);
  }

  /// As pop, but gives up after `patience`.
  template <typename Rep, typename Period>
  std::optional<T> pop_for(const std::stop_token& stop,
                           std::chrono::duration<Rep, Period> patience) {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, stop, patience, [&] { return closed_ || !items_.empty(); });
    return dequeue(stop);
  }

  /// As pop, but takes only what is there: even a wait of zero length would cost a system call.
  std::optional<T> try_pop(const std::stop_token& stop) {
    const std::lock_guard lock(mutex_);
    return dequeue(stop);
  }

  /// No more items follow; whoever waits is woken.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    filled_.notify_all();
    room_.notify_all();
  }

  /// True when closed and everything was taken: no more items will come.
  bool finished() const {
    const std::lock_guard lock(mutex_);
    return closed_ && items_.empty();
  }

  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

  std::size_t weight() const {
    const std::lock_guard lock(mutex_);
    return weight_;
  }

 private:
  bool has_room(std::size_t weight) const {
    return items_.empty() || (items_.size() < items_max_ && weight_ + weight <= weight_max_);
  }

  bool enqueue(T& value, std::size_t weight, std::unique_lock<std::mutex>&) {
    if (closed_ || !has_room(weight)) {
      return false;
    }
    items_.emplace_back(std::move(value), weight);
    weight_ += weight;
    filled_.notify_one();
    return true;
  }

  std::optional<T> dequeue(const std::stop_token& stop) {
    if (items_.empty() || stop.stop_requested()) {
      return std::nullopt;
    }
    std::optional<T> value(std::move(items_.front().first));
    weight_ -= items_.front().second;
    items_.pop_front();
    room_.notify_all();
    return value;
  }

  const std::size_t items_max_;
  const std::size_t weight_max_;
  mutable std::mutex mutex_;
  std::condition_variable_any room_;
  std::condition_variable_any filled_;
  std::deque<std::pair<T, std::size_t>> items_;
  std::size_t weight_ = 0;
  bool closed_ = false;
};

}  // namespace re_dms
