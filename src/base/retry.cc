#include "base/retry.h"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string_view>
#include <utility>

namespace re_dms {

RetryPolicy parse_retry_policy(std::string_view text) {
  int first = 0;
  int longest = 0;
  const char* const end = text.data() + text.size();
  const auto comma = std::from_chars(text.data(), end, first);
  if (comma.ec != std::errc() || comma.ptr == end || *comma.ptr != ',' ||
      std::from_chars(comma.ptr + 1, end, longest).ptr != end || first < 1 || longest < first) {
    return {};
  }
  return {std::chrono::milliseconds(first), std::chrono::milliseconds(longest)};
}

const RetryPolicy& retry_policy() {
  static const RetryPolicy kPolicy = [] {
    const char* const wanted = std::getenv("RE_DMS_RETRY_MS");
    return parse_retry_policy(wanted == nullptr ? "" : wanted);
  }();
  return kPolicy;
}

bool wait_for(std::chrono::milliseconds duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

Retry::Retry(RetryPolicy policy, OnError on_error, Progress progress)
    : policy_(policy),
      on_error_(std::move(on_error)),
      progress_(std::move(progress)),
      wait_(policy.first),
      random_(std::random_device{}()) {}

std::chrono::milliseconds Retry::next_wait() {
  std::uniform_real_distribution<double> share(0.5, 1.0);
  const auto times = [](std::chrono::milliseconds wait, double factor) {
    return std::chrono::milliseconds(
        static_cast<std::int64_t>(static_cast<double>(wait.count()) * factor));
  };
  const std::chrono::milliseconds shortened = times(wait_, share(random_));
  wait_ = std::min(policy_.longest, times(wait_, policy_.growth));
  return shortened;
}

std::optional<std::chrono::milliseconds> Retry::attempt(const std::function<void()>& step) {
  const std::uint64_t before = progress();
  try {
    step();
    wait_ = policy_.first;
    return std::nullopt;
  } catch (const Stopped&) {
    throw;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Transient) {
      throw;
    }
    if (progress() != before) {
      wait_ = policy_.first;
    }
    const std::chrono::milliseconds wait = next_wait();
    if (on_error_) {
      on_error_(error, wait);
    }
    return wait;
  }
}

bool Retry::run(const std::stop_token& stop, const std::function<void()>& step) try {
  while (!stop.stop_requested()) {
    const auto wait = attempt(step);
    if (!wait) {
      return true;
    }
    wait_for(*wait, stop);
  }
  return false;

} catch (const Stopped&) {
  return false;
}

void Retry::run_for(std::chrono::milliseconds patience, const Clock& clock,
                    const std::stop_token& stop, const std::function<void()>& step) {
  const SteadyTime deadline = clock.steady() + patience;
  std::exception_ptr given_up;
  const bool done = run(stop, [&] {
    try {
      step();
    } catch (const Stopped&) {
      throw;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::Transient && clock.steady() < deadline) {
        throw;
      }
      given_up = std::current_exception();
    }
  });
  if (!done) {
    throw Stopped();
  }
  if (given_up) {
    std::rethrow_exception(given_up);
  }
}

}  // namespace re_dms
