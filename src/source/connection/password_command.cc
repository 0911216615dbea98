#include "source/connection/password_command.h"

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
#include "base/error.h"

namespace re_dms {

namespace {

[[noreturn]] void fail(std::string_view problem) {
  throw Error(ErrorKind::Transient, fmt::format("source.password_command {}", problem),
              "Run the command by hand as the daemon's user: it has to write the password as its "
              "first line and end with status 0");
}

/// The child, in a process group of its own so that a shell's children end with it.
class Child {
 public:
  explicit Child(const std::string& command) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      fail(fmt::format("was not started: {}", std::strerror(errno)));
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
    const int failure =
        posix_spawn(&process_, "/bin/sh", &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(ends[1]);
    if (failure != 0) {
      close(output_);
      fail(fmt::format("was not started: {}", std::strerror(failure)));
    }
  }

  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  ~Child() {
    close(output_);
    if (process_ > 0) {
      kill(-process_, SIGKILL);
      waitpid(process_, nullptr, 0);
    }
  }

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
};

}  // namespace

std::string run_password_command(const std::string& command, std::chrono::milliseconds patience) {
  Child child(command);
  const SteadyTime deadline = real_clock().steady() + patience;
  std::string written;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - real_clock().steady());
    pollfd waiting{child.output(), POLLIN, 0};
    if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) == 0) {
      fail(fmt::format("gave no answer within {} s",
                       std::chrono::duration_cast<std::chrono::seconds>(patience).count()));
    }
    char buffer[4096];
    const ssize_t count = read(child.output(), buffer, sizeof(buffer));
    if (count > 0) {
      written.append(buffer, static_cast<std::size_t>(count));
    } else if (count == 0 || errno != EINTR) {
      break;
    }
  }
  const int status = child.status();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fail(WIFEXITED(status) ? fmt::format("ended with status {}", WEXITSTATUS(status))
                           : "was ended by a signal");
  }
  written.resize(std::min(written.size(), written.find('\n')));
  if (written.ends_with('\r')) {
    written.pop_back();
  }
  if (written.empty()) {
    fail("wrote nothing");
  }
  return written;
}

}  // namespace re_dms
