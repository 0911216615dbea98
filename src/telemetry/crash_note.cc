#include "telemetry/crash_note.h"

#include <execinfo.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <ctime>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "base/thread.h"

namespace re_dms {

namespace {

constexpr std::array kSignals = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
constexpr int kFramesMax = 64;
constexpr std::size_t kStackBytesMax = 16'384;

/// Read by the signal handler. Set before it is installed.
volatile int note_file = -1;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

/// What a signal handler may call.
void put(std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(note_file, text.data(), text.size());
}

void put_number(long number) {
  std::array<char, 24> digits{};
  std::size_t at = digits.size();
  do {
    digits[--at] = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number > 0);
  put({digits.data() + at, digits.size() - at});
}

void note_signal(int signal) {
  put("signal ");
  put_number(signal);
  put("\nat ");
  put_number(static_cast<long>(::time(nullptr)));
  put("\nversion " RE_DMS_VERSION "\n");
  std::array<void*, kFramesMax> frames{};
  const int count = ::backtrace(frames.data(), kFramesMax);
  ::backtrace_symbols_fd(frames.data(), count, note_file);
  // SA_RESETHAND has restored the usual course.
  ::raise(signal);
}

/// The rest of the line that begins with `word`.
std::string_view line_of(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = text.substr(at + word.size());
  return rest.substr(0, rest.find('\n'));
}

/// Names of functions and places, which stay the same when the program is loaded elsewhere.
std::string frames_of(std::string_view stack) {
  std::string frames;
  while (!stack.empty()) {
    std::string_view line = stack.substr(0, stack.find('\n'));
    stack.remove_prefix(std::min(stack.size(), line.size() + 1));
    frames += line.substr(0, line.find('['));
    frames += '\n';
  }
  return frames;
}

}  // namespace

void note_crashes(const std::string& path) {
  note_file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0600);
  if (note_file < 0) {
    throw Error(ErrorKind::Fatal, fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  }
  use_signal_stack();
  // The first call loads a library, which no signal handler may do.
  std::array<void*, 1> frame{};
  ::backtrace(frame.data(), 1);

  struct sigaction action {};

  action.sa_handler = &note_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER | SA_ONSTACK);
  for (const int signal : kSignals) {
    ::sigaction(signal, &action, nullptr);
  }
}

std::optional<ErrorReport> take_crash_note(FileSystem& files, const std::string& path) {
  if (!files.exists(path)) {
    return std::nullopt;
  }
  const std::string note = read_file(files, path);
  files.remove(path);
  const std::string_view number = line_of(note, "signal ");
  if (number.empty()) {
    return std::nullopt;
  }
  ErrorReport report;
  report.id = random_hex() + random_hex();
  report.level = "critical";
  report.event = "crashed";
  const int signal = std::atoi(std::string(number).c_str());
  report.message = fmt::format("re_dms was ended by signal {} ({})", signal, ::strsignal(signal));
  report.version = line_of(note, "version ");
  report.at = std::atoll(std::string(line_of(note, "\nat ")).c_str());
  const std::size_t stack = note.find("\nversion ");
  if (stack != std::string::npos) {
    const std::size_t begin = note.find('\n', stack + 1);
    report.stack = begin == std::string::npos ? "" : note.substr(begin + 1, kStackBytesMax);
  }
  report.fingerprint = fingerprint_of(report.event, frames_of(report.stack), report.message);
  return report;
}

}  // namespace re_dms
