#include "app/substitution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/environment.h"
#include "base/error.h"

namespace re_dms {

namespace {

constexpr std::size_t kSecretBytesMax = 64U << 10;
constexpr std::string_view kFilePrefix = "file:";
constexpr std::string_view kCredentialPrefix = "credential:";
constexpr std::string_view kCredentialStore = "/etc/credstore";

bool is_variable_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::ranges::all_of(name, fits);
}

/// One that the name of a file can end with, and that leads into no other folder.
bool is_credential_name(std::string_view name) {
  return !name.empty() && !name.starts_with('.') && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

void cut_newline(std::string& text) {
  for (const char last : {'\n', '\r'}) {
    if (text.ends_with(last)) {
      text.pop_back();
    }
  }
}

/// The value of what stands between "${" and "}".
std::string resolve(std::string_view reference, const Surroundings& surroundings) {
  if (reference.starts_with(kFilePrefix)) {
    const std::string path(reference.substr(kFilePrefix.size()));
    if (!path.starts_with('/')) {
      throw Error(ErrorKind::Usage,
                  fmt::format("${{{}}} needs a path that begins with \"/\"", reference));
    }
    std::string content = surroundings.file(path);
    cut_newline(content);
    return content;
  }
  if (reference.starts_with(kCredentialPrefix)) {
    const std::string name(reference.substr(kCredentialPrefix.size()));
    if (!is_credential_name(name)) {
      throw Error(ErrorKind::Usage,
                  fmt::format("${{{}}} needs a name such as \"source_password\"", reference));
    }
    std::string content = surroundings.file(surroundings.credentials + name);
    cut_newline(content);
    return content;
  }
  if (!is_variable_name(reference)) {
    throw Error(
        ErrorKind::Usage,
        fmt::format("${{{}}} is neither ${{NAME}}, ${{file:/path}} nor ${{credential:NAME}}",
                    reference));
  }
  std::optional<std::string> value = surroundings.variable(std::string(reference));
  if (!value) {
    throw Error(ErrorKind::Usage, fmt::format("the environment variable {} is not set", reference));
  }
  return *std::move(value);
}

}  // namespace

std::string read_text_file(const std::string& path, std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary);
  std::string content(bytes_max + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (file.bad() || (file.fail() && !file.eof())) {
    throw Error(ErrorKind::Usage, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  if (!file.eof()) {
    throw Error(ErrorKind::Usage, fmt::format("{} is longer than {} bytes", path, bytes_max));
  }
  content.resize(static_cast<std::size_t>(file.gcount()));
  return content;
}

Surroundings process_surroundings(const std::string& config_path) {
  const char* given = std::getenv("CREDENTIALS_DIRECTORY");
  const std::string configuration = std::filesystem::path(config_path).stem();
  return {environment_variable,
          [](const std::string& path) { return read_text_file(path, kSecretBytesMax); },
          given != nullptr ? fmt::format("{}/", given)
                           : fmt::format("{}/{}.", kCredentialStore, configuration)};
}

std::vector<TextPiece> resolve_references(std::string_view text, const Surroundings& surroundings) {
  std::vector<TextPiece> pieces;
  while (true) {
    const std::size_t dollar = text.find('$');
    pieces.push_back({std::string(text.substr(0, dollar))});
    if (dollar == std::string_view::npos) {
      return pieces;
    }
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      pieces.back().text += '$';
      text.remove_prefix(1);
      continue;
    }
    const std::size_t end = text.find('}');
    if (!text.starts_with('{') || end == std::string_view::npos) {
      throw Error(ErrorKind::Usage, R"(a "$" that does not begin a ${NAME} must be written "$$")");
    }
    const std::string_view reference = text.substr(1, end - 1);
    pieces.push_back({resolve(reference, surroundings), true});
    if (pieces.back().text.find('\0') != std::string::npos) {
      throw Error(ErrorKind::Usage, fmt::format("${{{}}} holds a NUL character", reference));
    }
    text.remove_prefix(end + 1);
  }
}

std::string substitute(std::string_view text, const Surroundings& surroundings) {
  std::string result;
  for (const TextPiece& piece : resolve_references(text, surroundings)) {
    result += piece.text;
  }
  return result;
}

}  // namespace re_dms
