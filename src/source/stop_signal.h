// A stop request as something poll can wait for.
#pragma once

#include <stop_token>

namespace re_dms {

/// A descriptor that becomes readable when stop is requested.
class StopSignal {
 public:
  explicit StopSignal(const std::stop_token& stop);
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  int descriptor() const { return descriptor_; }

 private:
  struct Ring {
    int descriptor;
    void operator()() const;
  };

  int descriptor_;
  std::stop_callback<Ring> callback_;
};

}  // namespace re_dms
