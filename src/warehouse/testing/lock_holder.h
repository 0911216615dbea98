// A process that keeps the DuckDB file from all others.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

namespace re_dms::testing {

/// Another process that has a file open with DuckDB's lock on it, as long as it lives.
class LockHolder {
 public:
  explicit LockHolder(const std::string& path) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    child_ = ::fork();
    if (child_ == 0) {
      const int fd = ::open(path.c_str(), O_RDWR);

      struct flock lock {};

      lock.l_type = F_WRLCK;
      const char locked = ::fcntl(fd, F_SETLK, &lock) == 0 ? 'y' : 'n';
      [[maybe_unused]] const auto wrote = ::write(ready[1], &locked, 1);
      ::pause();
      ::_exit(0);
    }
    char locked = 'n';
    EXPECT_EQ(::read(ready[0], &locked, 1), 1);
    EXPECT_EQ(locked, 'y');
    ::close(ready[0]);
    ::close(ready[1]);
  }

  LockHolder(const LockHolder&) = delete;
  LockHolder& operator=(const LockHolder&) = delete;
  LockHolder(LockHolder&&) = delete;
  LockHolder& operator=(LockHolder&&) = delete;

  ~LockHolder() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

  pid_t pid() const { return child_; }

 private:
  pid_t child_ = -1;
};

}  // namespace re_dms::testing
