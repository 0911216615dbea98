#include "app/connection_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

namespace re_dms {

namespace {

using Pieces = std::span<const TextPiece>;

bool is_letter_or_digit(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/// `kept`: letters that stay besides those that are never encoded (RFC 3986, 2.3).
std::string percent_encode(std::string_view value, std::string_view kept) {
  std::string encoded;
  for (const char c : value) {
    const bool stays = is_letter_or_digit(c) || std::string_view("-._~").find(c) != kept.npos ||
                       kept.find(c) != kept.npos;
    encoded += stays ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

/// Follows a URL's letters as written.
class UrlPlace {
 public:
  explicit UrlPlace(bool has_user) : part_(has_user ? Part::User : Part::Host) {}

  void pass(std::string_view written) {
    for (const char c : written) {
      const bool in_query = part_ == Part::Query;
      begins_parameter_ = (in_query && c == '&') || (!in_query && c == '?');
      if (part_ == Part::User && c == '@') {
        part_ = Part::Host;
      } else if (c == '?') {
        part_ = Part::Query;
      } else if (part_ == Part::Host && c == '/') {
        part_ = Part::Database;
      }
    }
  }

  std::string put_in(std::string_view value, bool ends_parameter) {
    if (std::exchange(begins_parameter_, false) && ends_parameter) {
      return std::string(value);
    }
    // Several hosts, their ports, addresses of IPv6. A socket's directory is encoded.
    return percent_encode(value, part_ == Part::Host ? ":,[]" : "");
  }

 private:
  enum class Part { User, Host, Database, Query };

  Part part_;
  bool begins_parameter_ = false;  ///< right behind "?" or "&"
};

/// Whether the part before the first "/" or "?" has an "@", as written: `rest` is what follows the
/// scheme in the first of the pieces.
bool has_user(std::string_view rest, Pieces others) {
  const auto decides = [](std::string_view written) { return written.find_first_of("@/?"); };
  std::size_t at = decides(rest);
  for (; at == rest.npos && !others.empty(); others = others.subspan(1)) {
    rest = others.front().put_in ? std::string_view() : std::string_view(others.front().text);
    at = decides(rest);
  }
  return at != rest.npos && rest[at] == '@';
}

/// The piece behind `i` as text; empty behind the last one.
std::string_view text_behind(Pieces pieces, std::size_t i) {
  return i + 1 < pieces.size() ? std::string_view(pieces[i + 1].text) : std::string_view();
}

std::string url(Pieces pieces) {
  const std::string& first = pieces.front().text;
  const std::string_view rest = std::string_view(first).substr(first.find("://") + 3);
  UrlPlace place(has_user(rest, pieces.subspan(1)));
  place.pass(rest);
  std::string result = first;
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    const TextPiece& piece = pieces[i];
    if (piece.put_in) {
      const std::string_view next = text_behind(pieces, i);
      result += place.put_in(piece.text, next.empty() || next.starts_with('&'));
    } else {
      place.pass(piece.text);
      result += piece.text;
    }
  }
  return result;
}

bool is_space(char c) {
  return std::string_view(" \t\n\v\f\r").find(c) != std::string_view::npos;
}

/// Follows the letters of a key=value text as written.
class PairPlace {
 public:
  void pass(std::string_view written) {
    for (const char c : written) {
      if (std::exchange(escaped_, false)) {
        continue;
      }
      if (c == '\\') {
        escaped_ = true;
      } else if (c == '\'' && (quoted_ || part_ == Part::BeforeValue)) {
        quoted_ = !quoted_;
        part_ = quoted_ ? Part::Value : Part::Key;
      } else if (quoted_) {
        continue;
      } else if (c == '=' && part_ == Part::Key) {
        part_ = Part::BeforeValue;
      } else if (!is_space(c)) {
        part_ = part_ == Part::Key ? Part::Key : Part::Value;
      } else if (part_ == Part::Value) {
        part_ = Part::Key;
      }
    }
  }

  std::string put_in(std::string_view value, bool ends_value) {
    if (part_ == Part::Key) {
      return std::string(value);
    }
    const bool whole = part_ == Part::BeforeValue;
    part_ = Part::Value;
    if (value.empty()) {
      // Behind a bare "=" libpq would take the next key for the value.
      return whole && ends_value ? "''" : "";
    }
    std::string escaped;
    for (const char c : value) {
      if (c == '\\' || c == '\'' || is_space(c)) {
        escaped += '\\';
      }
      escaped += c;
    }
    return escaped;
  }

 private:
  enum class Part { Key, BeforeValue, Value };

  Part part_ = Part::Key;
  bool quoted_ = false;
  bool escaped_ = false;
};

std::string pairs(Pieces pieces) {
  PairPlace place;
  std::string result;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const TextPiece& piece = pieces[i];
    if (piece.put_in) {
      const std::string_view next = text_behind(pieces, i);
      result += place.put_in(piece.text, next.empty() || is_space(next.front()));
    } else {
      place.pass(piece.text);
      result += piece.text;
    }
  }
  return result;
}

}  // namespace

std::string connection_text(std::string_view text, const Surroundings& surroundings) {
  std::vector<TextPiece> pieces = resolve_references(text, surroundings);
  std::erase_if(pieces, [](const TextPiece& piece) { return !piece.put_in && piece.text.empty(); });
  if (pieces.empty()) {
    return {};
  }
  pieces.front().put_in = false;
  const std::string& first = pieces.front().text;
  return first.starts_with("postgresql://") || first.starts_with("postgres://") ? url(pieces)
                                                                                : pairs(pieces);
}

}  // namespace re_dms
