// A bound on memory that several values share while they wait for the next stage.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stop_token>
#include <utility>

namespace re_dms {

/// Bytes that may be held at once. A share larger than the whole budget is granted when nothing
/// else is held, so that one large value cannot block forever.
class ByteBudget {
 public:
  /// Returns its bytes when destroyed. Movable; must not outlive the budget.
  class Share {
   public:
    Share() = default;

    Share(Share&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}

    Share& operator=(Share&& other) noexcept {
      if (this != &other) {
        give_back();
        budget_ = std::exchange(other.budget_, nullptr);
        bytes_ = other.bytes_;
      }
      return *this;
    }

    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    ~Share() { give_back(); }

    /// False: the wait was stopped, nothing is held.
    explicit operator bool() const { return budget_ != nullptr; }

   private:
    friend class ByteBudget;

    Share(ByteBudget* budget, std::size_t bytes) : budget_(budget), bytes_(bytes) {}

    void give_back() {
      if (budget_ != nullptr) {
        budget_->release(bytes_);
        budget_ = nullptr;
      }
    }

    ByteBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  explicit ByteBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Blocks until the bytes are free or stop is requested.
  Share take(std::size_t bytes, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const bool free =
        freed_.wait(lock, stop, [&] { return held_ == 0 || held_ + bytes <= bytes_max_; });
    if (!free) {
      return {};
    }
    held_ += bytes;
    return {this, bytes};
  }

 private:
  void release(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    held_ -= bytes;
    freed_.notify_all();
  }

  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::condition_variable_any freed_;
  std::size_t held_ = 0;
};

}  // namespace re_dms
