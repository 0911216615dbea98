#include "base/thread.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <string>

namespace re_dms {

namespace {

constexpr std::size_t kNameMax = 15;
/// Walking a stack takes more than what systems ask for, which is the registers' room.
constexpr std::size_t kHandlerBytes = std::size_t{128} * 1024;

class SignalStack {
 public:
  SignalStack() {
    stack_t present{};
    ::sigaltstack(nullptr, &present);
    if ((present.ss_flags & SS_DISABLE) == 0) {
      return;
    }
    bytes_ = kHandlerBytes + static_cast<std::size_t>(std::max(0L, ::sysconf(_SC_MINSIGSTKSZ)));
    // Its pages are made when they are written to: never, in most threads.
    void* const memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) {
      return;
    }
    stack_t stack{};
    stack.ss_sp = memory;
    stack.ss_size = bytes_;
    if (::sigaltstack(&stack, nullptr) == 0) {
      memory_ = memory;
    } else {
      ::munmap(memory, bytes_);
    }
  }

  ~SignalStack() {
    if (memory_ != nullptr) {
      stack_t none{};
      none.ss_flags = SS_DISABLE;
      ::sigaltstack(&none, nullptr);
      ::munmap(memory_, bytes_);
    }
  }

  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;
  SignalStack(SignalStack&&) = delete;
  SignalStack& operator=(SignalStack&&) = delete;

 private:
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace

void begin_thread(std::string_view name) {
  ::pthread_setname_np(::pthread_self(), std::string(name.substr(0, kNameMax)).c_str());
  use_signal_stack();
}

void use_signal_stack() {
  thread_local const SignalStack stack;
}

}  // namespace re_dms
