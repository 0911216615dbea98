// Reads a TOML text of sections and keys and collects every fault in it, each with its line, so
// that a person sees all of them at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/substitution.h"

namespace re_dms {

/// Whether messages may repeat a key's value.
enum class Secrecy { Shown, Secret };

/// Keys are written "section.name", those of the second [[section]] of its name
/// "section[2].name". The keys that were asked for are the known ones: finish() refuses every other
/// key. A value of the wrong form is noted as a fault and reads as absent.
class ConfigReader {
 public:
  /// `file` names the text in messages. `surroundings` must outlive the reader. Throws Error of
  /// kind Usage when the text is no TOML.
  ConfigReader(std::string_view text, std::string file, const Surroundings& surroundings);
  ~ConfigReader();

  /// How the references in a string are replaced: substitute, connection_text.
  using PutIn = std::string (*)(std::string_view text, const Surroundings& surroundings);

  /// A string with everything it refers to put in; empty strings read as absent.
  std::optional<std::string> text(std::string_view key, Secrecy secrecy = Secrecy::Shown,
                                  PutIn put_in = substitute);

  /// As text(), but an absent key is a fault. `example` is a line a person can copy.
  std::string required_text(std::string_view key, std::string_view example, Secrecy secrecy,
                            PutIn put_in = substitute);

  /// What the keys of each [[section]] of this name begin with, in their order.
  std::vector<std::string> sections(std::string_view name);

  std::optional<std::vector<std::string>> texts(std::string_view key);
  /// One name or a list of them: "a", ["a", "b"].
  std::vector<std::string> names(std::string_view key);
  /// { name = "text", … }; nothing where the key is absent.
  std::map<std::string, std::string> named_texts(std::string_view key);
  std::optional<bool> flag(std::string_view key);
  /// From `least` to `most`, both included.
  std::optional<int> number(std::string_view key, int least, int most);
  std::optional<std::uint64_t> bytes(std::string_view key);
  std::optional<std::chrono::milliseconds> duration(std::string_view key);

  /// Every key that is there, with its value as it is written; secrets too.
  std::map<std::string, std::string> given() const;

  /// Notes "KEY: found VALUE, expected …".
  void refuse(std::string_view key, std::string_view expected);

  /// Notes "KEY: PROBLEM".
  void fault(std::string_view key, std::string_view problem);

  /// No fault of this key was noted yet.
  bool sound(std::string_view key) const;

  /// Throws Error of kind Usage with all faults, in the order of their lines, if there are any.
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace re_dms
