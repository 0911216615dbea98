// A stop request as something poll can wait for.
#pragma once

#include <stop_token>

namespace re_dms {

/// Closes a descriptor when it goes.
class OwnedDescriptor {
 public:
  explicit OwnedDescriptor(int number) : number_(number) {}

  ~OwnedDescriptor();
  OwnedDescriptor(const OwnedDescriptor&) = delete;
  OwnedDescriptor& operator=(const OwnedDescriptor&) = delete;

  int number() const { return number_; }

 private:
  int number_;
};

/// A descriptor that becomes readable when stop is requested.
class StopSignal {
 public:
  explicit StopSignal(const std::stop_token& stop);

  int descriptor() const { return descriptor_.number(); }

 private:
  struct Ring {
    int descriptor;
    void operator()() const;
  };

  // The callback goes first, and waits for a stop under way in another thread: that one would write
  // into a descriptor that is closed, or somebody else's by then.
  OwnedDescriptor descriptor_;
  std::stop_callback<Ring> callback_;
};

}  // namespace re_dms
