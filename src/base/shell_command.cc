#include "base/shell_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/clock.h"

namespace re_dms {

namespace {

/// The child, in a process group of its own so that a shell's children end with it.
class ShellChild {
 public:
  explicit ShellChild(const std::string& command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      failure_ = errno;
      return;
    }
    output_ = ends[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // The daemon blocks signals in all threads; the command must not inherit that.
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes,
                             static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP));
    std::string shell = "sh";
    std::string flag = "-c";
    std::string text = command;
    char* arguments[] = {shell.data(), flag.data(), text.data(), nullptr};
    failure_ = posix_spawn(&process_, "/bin/sh", &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(ends[1]);
    if (failure_ != 0) {
      process_ = -1;
    }
  }

  ShellChild(const ShellChild&) = delete;
  ShellChild& operator=(const ShellChild&) = delete;

  ~ShellChild() {
    if (output_ >= 0) {
      close(output_);
    }
    if (process_ > 0) {
      kill(-process_, SIGKILL);
      waitpid(process_, nullptr, 0);
    }
  }

  /// The system's number of why it was not started; 0: it was.
  int failure() const { return failure_; }

  int output() const { return output_; }

  /// Waits for the end of a child that has closed its output.
  int status() {
    int status = 0;
    while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
    }
    process_ = -1;
    return status;
  }

 private:
  pid_t process_ = -1;
  int output_ = -1;
  int failure_ = 0;
};

}  // namespace

CommandOutcome run_shell_command(const std::string& command, std::chrono::milliseconds patience) {
  ShellChild child(command);
  if (child.failure() != 0) {
    return {{}, fmt::format("was not started: {}", std::strerror(child.failure()))};
  }
  const SteadyTime deadline = real_clock().steady() + patience;
  CommandOutcome outcome;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - real_clock().steady());
    pollfd waiting{child.output(), POLLIN, 0};
    if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) == 0) {
      return {{},
              fmt::format("gave no answer within {} s",
                          std::chrono::duration_cast<std::chrono::seconds>(patience).count())};
    }
    char buffer[4096];
    const ssize_t count = read(child.output(), buffer, sizeof(buffer));
    if (count > 0) {
      outcome.output.append(buffer, static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      break;
    }
  }
  const int status = child.status();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return {{},
            WIFEXITED(status) ? fmt::format("ended with status {}", WEXITSTATUS(status))
                              : "was ended by a signal"};
  }
  return outcome;
}

}  // namespace re_dms
