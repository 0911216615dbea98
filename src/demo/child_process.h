// A program started by the demo: PostgreSQL, pgbench, the daemon. Whatever happens to the demo, a
// kill -9 included, its children end too.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <vector>

namespace re_dms::demo {

/// Who a program runs as. PostgreSQL refuses to run as root.
struct Account {
  uid_t user = 0;
  gid_t group = 0;
};

struct Launch {
  std::vector<std::string> command;  ///< the first is the program's absolute path
  std::string output;                ///< stdout and stderr are appended to this file
  std::string directory = "/";       ///< where it runs; the account can enter it
  std::optional<Account> account;    ///< empty: as we are
  int death_signal = SIGKILL;        ///< what it gets when the demo dies
};

/// One running program. Movable; the destructor kills it when it still runs and waits for its end.
class ChildProcess {
 public:
  /// Starts it in a process group of its own, so that a Ctrl-C reaches the demo alone and the demo
  /// ends its children in the right order. Must be called from the thread that lives longest: the
  /// kernel sends death_signal when the thread ends that started the program. Throws Fatal.
  static ChildProcess start(const Launch& launch);

  /// None.
  ChildProcess() = default;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  /// Whether there is a program, running or ended.
  explicit operator bool() const { return pid_ > 0; }

  /// Its exit code once it has ended, as a shell gives it (128 + signal); none for no program.
  std::optional<int> exit_code();

  void signal(int number);

  /// Sends the signal and waits; after `patience` it kills. Returns the exit code.
  int stop(int number, std::chrono::milliseconds patience);

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}

  void kill_and_wait();

  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

/// The last lines of a log file, each indented, for an error's text.
std::string last_lines(const std::string& path, std::size_t count);

}  // namespace re_dms::demo
