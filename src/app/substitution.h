// ${NAME}, ${file:/path} and ${credential:NAME} in the strings of the configuration file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re_dms {

/// What a configuration file may refer to. A seam: tests and fuzzing bring their own.
struct Surroundings {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  /// Throws Error when the file cannot be read.
  std::function<std::string(const std::string& path)> file;
  /// What stands before a credential's name in the path of its file.
  std::string credentials{};
};

/// The process's environment variables and the machine's files. Credentials are those that systemd
/// gives the service ($CREDENTIALS_DIRECTORY); for commands that a person runs, the files from
/// which systemd takes them: /etc/credstore/NAME.CREDENTIAL for the configuration NAME.toml.
Surroundings process_surroundings(const std::string& config_path);

/// A file of at most `bytes_max`; throws Error of kind Usage with the system's reason.
std::string read_text_file(const std::string& path, std::size_t bytes_max);

/// A part of a text: as it is written, or put in for a reference.
struct TextPiece {
  std::string text;
  bool put_in = false;
};

/// Resolves what the text refers to, once: the values put in are not looked at again. "$$" is "$".
/// One newline at the end of a file's content is left out. Throws Error of kind Usage; its text
/// never holds a value that was put in. The pieces are in order; two of one kind may follow each
/// other.
std::vector<TextPiece> resolve_references(std::string_view text, const Surroundings& surroundings);

/// The pieces as one text, as they are.
std::string substitute(std::string_view text, const Surroundings& surroundings);

}  // namespace re_dms
