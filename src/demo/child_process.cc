#include "demo/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>
#include <fstream>
#include <thread>
#include <utility>

#include "base/error.h"

namespace re_dms::demo {

namespace {

constexpr std::chrono::milliseconds kPollInterval{20};

/// Closed when it goes out of scope.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  ~Descriptor() { close(); }

  int number() const { return number_; }

  void close() {
    if (number_ >= 0) {
      ::close(number_);
    }
    number_ = -1;
  }

 private:
  int number_;
};

/// Signals as a program expects them at its start: none blocked, none ignored.
void reset_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    ::signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// The death signal comes last: a change of the user would clear it again (prctl(2)).
bool change_account(const std::optional<Account>& account) {
  return !account || (::setgroups(0, nullptr) == 0 && ::setgid(account->group) == 0 &&
                      ::setuid(account->user) == 0);
}

/// What happens in the child. Only calls that are safe after a fork of a program with threads;
/// returns only on failure, with errno set.
void become(const Launch& launch, char* const* arguments, pid_t parent, int output) {
  ::setpgid(0, 0);
  reset_signals();
  if (!change_account(launch.account) || ::prctl(PR_SET_PDEATHSIG, launch.death_signal) != 0 ||
      ::chdir(launch.directory.c_str()) != 0) {
    return;
  }
  if (::getppid() != parent) {
    ::_exit(1);  // the demo died before the death signal was set
  }
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0 || ::dup2(nothing, STDIN_FILENO) < 0 || ::dup2(output, STDOUT_FILENO) < 0 ||
      ::dup2(output, STDERR_FILENO) < 0) {
    return;
  }
  ::execv(arguments[0], arguments);
}

int shell_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

ChildProcess ChildProcess::start(const Launch& launch) {
  Descriptor output(::open(launch.output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (output.number() < 0) {
    throw Error(ErrorKind::Fatal,
                fmt::format("cannot open {}: {}", launch.output, std::strerror(errno)));
  }
  // exec closes the pipe; a failure before it comes through it.
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    throw Error(ErrorKind::Fatal, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  Descriptor failure_to_read(ends[0]);
  Descriptor failure_to_write(ends[1]);
  std::vector<char*> arguments;
  arguments.reserve(launch.command.size() + 1);
  for (const std::string& argument : launch.command) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    become(launch, arguments.data(), parent, output.number());
    const int failure = errno;
    [[maybe_unused]] const auto told = ::write(ends[1], &failure, sizeof failure);
    ::_exit(127);
  }
  if (pid < 0) {
    throw Error(ErrorKind::Fatal, fmt::format("cannot fork: {}", std::strerror(errno)));
  }
  ChildProcess child(pid);
  failure_to_write.close();
  int failure = 0;
  if (::read(failure_to_read.number(), &failure, sizeof failure) == sizeof failure) {
    throw Error(ErrorKind::Fatal,
                fmt::format("cannot start {}: {}", launch.command.front(), std::strerror(failure)));
  }
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), exit_code_(std::exchange(other.exit_code_, {})) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    kill_and_wait();
    pid_ = std::exchange(other.pid_, -1);
    exit_code_ = std::exchange(other.exit_code_, {});
  }
  return *this;
}

ChildProcess::~ChildProcess() {
  kill_and_wait();
}

std::optional<int> ChildProcess::exit_code() {
  int status = 0;
  if (!exit_code_ && pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) {
    exit_code_ = shell_code(status);
  }
  return exit_code_;
}

void ChildProcess::signal(int number) {
  // Not after it was waited for: the number may be somebody else's by then.
  if (pid_ > 0 && !exit_code_) {
    ::kill(pid_, number);
  }
}

int ChildProcess::stop(int number, std::chrono::milliseconds patience) {
  signal(number);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!exit_code() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kPollInterval);
  }
  kill_and_wait();
  return exit_code_.value_or(0);
}

void ChildProcess::kill_and_wait() {
  signal(SIGKILL);
  int status = 0;
  while (pid_ > 0 && !exit_code_) {
    if (::waitpid(pid_, &status, 0) == pid_) {
      exit_code_ = shell_code(status);
    } else if (errno != EINTR) {
      exit_code_ = 0;
    }
  }
}

std::string last_lines(const std::string& path, std::size_t count) {
  std::ifstream file(path);
  std::deque<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(std::move(line));
    if (lines.size() > count) {
      lines.pop_front();
    }
  }
  std::string text;
  for (const std::string& line : lines) {
    text += "\n  | " + line;
  }
  return text;
}

}  // namespace re_dms::demo
