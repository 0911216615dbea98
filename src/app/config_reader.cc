#include "app/config_reader.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "app/suggestion.h"
#include "base/error.h"
#include "base/quantities.h"

namespace re_dms {

namespace {

constexpr std::size_t kFoundBytesMax = 80;

/// A string as messages show it: one line, not endless.
std::string in_quotes(std::string_view text) {
  std::string shown(text.substr(0, kFoundBytesMax));
  std::ranges::replace_if(
      shown, [](unsigned char c) { return c < ' ' || c == 0x7F; }, '?');
  return fmt::format("\"{}{}\"", shown, text.size() > kFoundBytesMax ? "..." : "");
}

std::string describe(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return in_quotes(node.as_string()->get());
    case toml::node_type::integer:
      return fmt::format("the number {}", node.as_integer()->get());
    case toml::node_type::floating_point:
      return fmt::format("the number {}", node.as_floating_point()->get());
    case toml::node_type::boolean:
      return node.as_boolean()->get() ? "true" : "false";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::table:
      return "a section";
    default:
      return "a date or time";
  }
}

}  // namespace

struct ConfigReader::State {
  /// "name" or, of several, "name[2]".
  const toml::node* section(std::string_view name) const {
    const std::size_t bracket = name.find('[');
    if (bracket == std::string_view::npos) {
      return root.get(name);
    }
    const std::size_t number = std::stoul(std::string(name.substr(bracket + 1)));
    return root.get(name.substr(0, bracket))->as_array()->get(number - 1);
  }

  const toml::node* find(std::string_view key) const {
    const std::size_t dot = key.find('.');
    const toml::node* node = section(key.substr(0, dot));
    if (dot == std::string_view::npos) {
      return node;
    }
    const toml::table* table = node == nullptr ? nullptr : node->as_table();
    return table == nullptr ? nullptr : table->get(key.substr(dot + 1));
  }

  /// Of the key, else of its section, else of the beginning.
  std::uint32_t line_of(std::string_view key) const {
    const toml::node* node = find(key);
    if (node == nullptr) {
      node = section(key.substr(0, key.find('.')));
    }
    return node == nullptr ? 1 : node->source().begin.line;
  }

  void refuse_unknown_keys();
  void refuse_unknown_keys(const std::string& section, const toml::table& table);
  void refuse_unknown(const toml::key& key, const std::string& name, std::string_view what,
                      const std::string& meant);

  std::string file;
  const Surroundings& surroundings;
  toml::table root{};
  std::vector<std::string> known{};
  /// By name, of sections that may come several times: how many there are.
  std::map<std::string, std::size_t, std::less<>> several{};
  std::set<std::string, std::less<>> secret{};
  std::set<std::string, std::less<>> faulty{};
  std::multimap<std::uint32_t, std::string> faults{};  ///< by line; of one line, as they were found
};

void ConfigReader::State::refuse_unknown(const toml::key& key, const std::string& name,
                                         std::string_view what, const std::string& meant) {
  const std::string hint = meant.empty() ? "" : fmt::format("; did you mean {}?", meant);
  faults.emplace(key.source().begin.line, fmt::format("{}: unknown {}{}", name, what, hint));
}

void ConfigReader::State::refuse_unknown_keys(const std::string& section,
                                              const toml::table& table) {
  for (const auto& [name, value] : table) {
    const std::string key = fmt::format("{}.{}", section, name.str());
    if (std::ranges::find(known, key) == known.end()) {
      refuse_unknown(name, key, "key", nearest(key, known));
    }
  }
}

void ConfigReader::State::refuse_unknown_keys() {
  std::vector<std::string> sections;
  for (const std::string& key : known) {
    sections.push_back(key.substr(0, key.find('.')));
  }
  for (const auto& [section_key, node] : root) {
    const std::string section(section_key.str());
    if (const auto found = several.find(section); found != several.end()) {
      for (std::size_t i = 0; i < found->second; ++i) {
        refuse_unknown_keys(fmt::format("{}[{}]", section, i + 1),
                            *node.as_array()->get(i)->as_table());
      }
      continue;
    }
    if (std::ranges::find(sections, section) == sections.end()) {
      const bool table = node.is_table() || node.is_array_of_tables();
      std::vector<std::string> names = table ? sections : known;
      for (const auto& [name, count] : several) {
        names.push_back(name);
      }
      // A key above the first section header is most often one of a section.
      refuse_unknown(section_key, in_quotes(section), table ? "section" : "key",
                     nearest(section, names));
      continue;
    }
    if (!node.is_table()) {
      faults.emplace(
          section_key.source().begin.line,
          fmt::format("{0}: found {1}, expected a section [{0}]", section, describe(node)));
      continue;
    }
    refuse_unknown_keys(section, *node.as_table());
  }
}

ConfigReader::ConfigReader(std::string_view text, std::string file,
                           const Surroundings& surroundings)
    : state_(new State{.file = std::move(file), .surroundings = surroundings}) {
  try {
    state_->root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw Error(
        ErrorKind::Usage,
        fmt::format("{}:{}: {}", state_->file, error.source().begin.line, error.description()),
        "Nothing else in the file was read");
  }
}

ConfigReader::~ConfigReader() = default;

std::optional<std::string> ConfigReader::text(std::string_view key, Secrecy secrecy, PutIn put_in) {
  state_->known.emplace_back(key);
  if (secrecy == Secrecy::Secret) {
    state_->secret.emplace(key);
  }
  const toml::node* node = state_->find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  if (!node->is_string()) {
    refuse(key, "a string in quotes");
    return std::nullopt;
  }
  try {
    std::string value = put_in(node->as_string()->get(), state_->surroundings);
    if (value.find('\0') != std::string::npos) {
      fault(key, "holds a NUL character");
    } else if (!value.empty()) {
      return value;
    }
  } catch (const Error& error) {
    fault(key, error.message());
  }
  return std::nullopt;
}

std::string ConfigReader::required_text(std::string_view key, std::string_view example,
                                        Secrecy secrecy, PutIn put_in) {
  std::optional<std::string> value = text(key, secrecy, put_in);
  if (!value && sound(key)) {
    fault(key, fmt::format("missing; set it like {}", example));
  }
  return std::move(value).value_or("");
}

std::vector<std::string> ConfigReader::sections(std::string_view name) {
  std::size_t& count = state_->several[std::string(name)];
  const toml::node* node = state_->root.get(name);
  if (node == nullptr) {
    return {};
  }
  if (!node->is_array_of_tables()) {
    refuse(name, fmt::format("sections [[{}]]", name));
    return {};
  }
  count = node->as_array()->size();
  std::vector<std::string> keys;
  for (std::size_t i = 1; i <= count; ++i) {
    keys.push_back(fmt::format("{}[{}]", name, i));
  }
  return keys;
}

std::optional<std::vector<std::string>> ConfigReader::texts(std::string_view key) {
  state_->known.emplace_back(key);
  const toml::node* node = state_->find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  if (!node->is_array() ||
      (!node->as_array()->empty() && !node->is_homogeneous(toml::node_type::string))) {
    refuse(key, "a list of strings, such as [\"public.*\"]");
    return std::nullopt;
  }
  std::vector<std::string> values;
  for (const toml::node& element : *node->as_array()) {
    try {
      values.push_back(substitute(element.as_string()->get(), state_->surroundings));
    } catch (const Error& error) {
      fault(key, error.message());
    }
  }
  return values;
}

std::vector<std::string> ConfigReader::names(std::string_view key) {
  const toml::node* node = state_->find(key);
  if (node == nullptr || node->is_array()) {
    return texts(key).value_or(std::vector<std::string>());
  }
  const std::optional<std::string> one = text(key);
  return one ? std::vector{*one} : std::vector<std::string>();
}

std::map<std::string, std::string> ConfigReader::named_texts(std::string_view key) {
  state_->known.emplace_back(key);
  std::map<std::string, std::string> values;
  const toml::node* node = state_->find(key);
  if (node == nullptr) {
    return values;
  }
  if (!node->is_table() ||
      (!node->as_table()->empty() && !node->is_homogeneous(toml::node_type::string))) {
    refuse(key, "names with strings, such as { name = \"text\" }");
    return values;
  }
  for (const auto& [name, value] : *node->as_table()) {
    values[std::string(name.str())] = value.as_string()->get();
  }
  return values;
}

std::optional<bool> ConfigReader::flag(std::string_view key) {
  state_->known.emplace_back(key);
  const toml::node* node = state_->find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  if (!node->is_boolean()) {
    refuse(key, "true or false, without quotes");
    return std::nullopt;
  }
  return node->as_boolean()->get();
}

std::optional<int> ConfigReader::number(std::string_view key, int least, int most) {
  state_->known.emplace_back(key);
  const toml::node* node = state_->find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  if (!node->is_integer() || node->as_integer()->get() < least ||
      node->as_integer()->get() > most) {
    refuse(key, fmt::format("a number from {} to {}, without quotes", least, most));
    return std::nullopt;
  }
  return static_cast<int>(node->as_integer()->get());
}

std::optional<std::uint64_t> ConfigReader::bytes(std::string_view key) {
  const std::optional<std::string> value = text(key);
  const std::optional<std::uint64_t> size = value ? parse_size(*value) : std::nullopt;
  if (value && !size) {
    refuse(key, kSizeForm);
  }
  return size;
}

std::optional<std::chrono::milliseconds> ConfigReader::duration(std::string_view key) {
  const std::optional<std::string> value = text(key);
  const std::optional<std::chrono::milliseconds> length =
      value ? parse_duration(*value) : std::nullopt;
  if (value && !length) {
    refuse(key, kDurationForm);
  }
  return length;
}

void ConfigReader::refuse(std::string_view key, std::string_view expected) {
  const toml::node* node = state_->find(key);
  if (node == nullptr || state_->secret.contains(key)) {
    fault(key, fmt::format("expected {}", expected));
  } else {
    fault(key, fmt::format("found {}, expected {}", describe(*node), expected));
  }
}

void ConfigReader::fault(std::string_view key, std::string_view problem) {
  state_->faulty.emplace(key);
  state_->faults.emplace(state_->line_of(key), fmt::format("{}: {}", key, problem));
}

bool ConfigReader::sound(std::string_view key) const {
  return !state_->faulty.contains(key);
}

void ConfigReader::finish() {
  state_->refuse_unknown_keys();
  if (state_->faults.empty()) {
    return;
  }
  std::string text;
  for (const auto& [line, problem] : state_->faults) {
    text += fmt::format("{}{}:{}: {}", text.empty() ? "" : "\n", state_->file, line, problem);
  }
  throw Error(ErrorKind::Usage, text);
}

std::map<std::string, std::string> ConfigReader::given() const {
  std::map<std::string, std::string> values;
  const auto write = [&](const std::string& key, const toml::node& node) {
    std::ostringstream text;
    node.visit([&](const auto& value) { text << value; });
    values[key] = text.str();
  };
  for (const auto& [name, section] : state_->root) {
    const std::string prefix(name.str());
    if (const toml::table* table = section.as_table()) {
      for (const auto& [key, node] : *table) {
        write(prefix + "." + std::string(key.str()), node);
      }
    } else {
      write(prefix, section);
    }
  }
  return values;
}

}  // namespace re_dms
