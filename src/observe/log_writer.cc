#include "observe/log_writer.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/thread.h"

namespace re_dms {

struct LogWriter::State {
  struct Entry {
    std::string line;
    std::uint64_t notice_of = 0;  ///< lost lines that it tells of; 0: an ordinary line
  };

  State(int to, std::size_t bound, Notice text)
      : descriptor(to), bytes_max(bound), notice(std::move(text)) {}

  void run();
  void push(Entry entry);
  void push_notice();
  void lose(const Entry& entry);

  const int descriptor;
  const std::size_t bytes_max;
  const Notice notice;
  std::mutex mutex;
  std::condition_variable filled;
  std::condition_variable drained;
  std::deque<Entry> entries;
  std::size_t bytes = 0;
  bool writing = false;
  bool ended = false;
  std::uint64_t unsaid = 0;  ///< lost, and no notice of it written or waiting
  std::uint64_t lost = 0;
};

void LogWriter::State::push(Entry entry) {
  bytes += entry.line.size();
  entries.push_back(std::move(entry));
  filled.notify_one();
}

void LogWriter::State::push_notice() {
  if (const std::uint64_t count = std::exchange(unsaid, 0); count > 0) {
    push({notice(count), count});
  }
}

void LogWriter::State::lose(const Entry& entry) {
  const std::uint64_t lines = entry.notice_of == 0 ? 1 : 0;
  lost += lines;
  unsaid += lines + entry.notice_of;
}

/// The thread: until the writer is gone and nothing is left.
void LogWriter::State::run() {
  std::unique_lock lock(mutex);
  while (true) {
    filled.wait(lock, [this] { return ended || !entries.empty(); });
    if (entries.empty()) {
      return;
    }
    const Entry entry = std::move(entries.front());
    entries.pop_front();
    bytes -= entry.line.size();
    writing = true;
    lock.unlock();
    const bool written = write_all(descriptor, entry.line);
    lock.lock();
    writing = false;
    if (!written) {
      // Said before the next line: a descriptor that is broken gets no notice of that.
      lose(entry);
    } else if (entries.empty()) {
      push_notice();
    }
    if (entries.empty()) {
      drained.notify_all();
    }
  }
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(descriptor, bytes.data(), bytes.size());
    if (wrote >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno == EAGAIN) {
      // Somebody who shares the file made it so.
      pollfd ready{descriptor, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

LogWriter::LogWriter(int descriptor, std::size_t bytes_max, Notice notice)
    : state_(std::make_shared<State>(descriptor, bytes_max, std::move(notice))) {
  // Signals are for the threads that wait for them; a fault of this one is its own.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  for (const int own : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
    ::sigdelset(&all, own);
  }
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([state = state_] {
    begin_thread("log");
    state->run();
  }).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LogWriter::~LogWriter() {
  const std::lock_guard lock(state_->mutex);
  state_->ended = true;
  state_->filled.notify_one();
}

void LogWriter::write(std::string line) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->entries.empty() && state_->bytes + line.size() > state_->bytes_max) {
    state_->lose({});
    return;
  }
  state_->push_notice();
  state_->push({std::move(line)});
}

bool LogWriter::flush(std::chrono::milliseconds patience) {
  std::unique_lock lock(state_->mutex);
  return state_->drained.wait_for(lock, patience,
                                  [this] { return state_->entries.empty() && !state_->writing; });
}

std::uint64_t LogWriter::lost() const {
  const std::lock_guard lock(state_->mutex);
  return state_->lost;
}

}  // namespace re_dms
