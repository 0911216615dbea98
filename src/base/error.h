// The one error type of the project. Its kind says what the caller does next, its text what a
// person needs: what happened, to which table, LSN or file, why it matters, what to do.
#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>

namespace re_dms {

/// What follows from an error.
enum class ErrorKind {
  Transient,  ///< The step may be tried again from the last durable point.
  Table,      ///< One table cannot go on: it is set aside with the reason, the others continue.
  Fatal,      ///< The daemon stops; going on would risk the copy or the source.
  Usage,      ///< Command line or configuration is wrong; exit code 2.
};

/// Name of a kind for logs: "transient", "table", "fatal", "usage".
std::string_view to_string(ErrorKind kind);

class Error : public std::exception {
 public:
  /// `message` says what happened and to what; `advice` what to do next (may be empty).
  Error(ErrorKind kind, std::string message, std::string advice = {},
        std::source_location where = std::source_location::current());

  /// An error of kind Table that names the table it concerns.
  static Error table(std::uint32_t table_oid, std::string message, std::string advice = {},
                     std::source_location where = std::source_location::current());

  ErrorKind kind() const { return kind_; }

  const std::string& message() const { return message_; }

  const std::string& advice() const { return advice_; }

  /// The table of a Table error; empty for the other kinds.
  std::optional<std::uint32_t> table_oid() const { return table_oid_; }

  const std::source_location& where() const { return where_; }

  /// Puts "context: " before the message; returns itself so that it can be rethrown.
  Error& in(std::string_view context);

  /// Of a Fatal error that no waiting ends, such as a slot that was dropped: whoever starts the
  /// program again meets it again until a person has decided something. Not of what may come back
  /// by itself: a server, a file system, an address that leads elsewhere for a while.
  Error& needing_a_person();

  bool needs_a_person() const { return needs_a_person_; }

  /// Message and advice in one text.
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  void compose();

  ErrorKind kind_;
  std::string message_;
  std::string advice_;
  std::source_location where_;
  std::optional<std::uint32_t> table_oid_;
  bool needs_a_person_ = false;
  std::string text_;
};

namespace detail {
[[noreturn]] void check_failed(const char* expression, std::source_location where);
}

/// Checks an invariant of ours, in release builds too. A failure is a bug: it throws a Fatal Error
/// that names the place. Never used on bytes that come from outside.
#define RE_DMS_CHECK(condition)                                                    \
  do {                                                                             \
    if (!(condition)) [[unlikely]] {                                               \
      ::re_dms::detail::check_failed(#condition, std::source_location::current()); \
    }                                                                              \
  } while (false)

}  // namespace re_dms
