#include "stream_text.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string>

#include "base/error.h"
#include "journal/stream_track.h"

namespace re_dms {

namespace {

/// The bytes that `\xx` and plain characters stand for; empty when a backslash is followed by
/// something else.
std::optional<std::string> unescape(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      bytes += text[at];
      continue;
    }
    const std::string_view digits = text.substr(at + 1, 2);
    unsigned char byte = 0;
    const char* const end = digits.data() + digits.size();
    if (digits.size() != 2 || std::from_chars(digits.data(), end, byte, 16).ptr != end) {
      return std::nullopt;
    }
    bytes += static_cast<char>(byte);
    at += 2;
  }
  return bytes;
}

/// Takes the lines of a stream one after the other.
class StreamLines {
 public:
  /// False when the line is none of a stream's.
  bool take(std::string_view line) {
    if (line.empty() || line[0] == '#') {
      return true;
    }
    if (line.starts_with("start ")) {
      const auto start = Lsn::parse(line.substr(6));
      stream_.start = track_.position = start.value_or(Lsn{});
      return start.has_value();
    }
    if (line == "seal") {
      stream_.seals.push_back(track_.position);
      return true;
    }
    const auto body = unescape(line.substr(std::min<std::size_t>(2, line.size())));
    if (line.size() < 2 || line[1] != ' ' || !body) {
      return false;
    }
    const auto kind = static_cast<RecordKind>(line[0]);
    track_.note({kind, *body});
    stream_.records.add(kind, *body);
    return true;
  }

  RecordedStream stream() { return std::move(stream_); }

 private:
  RecordedStream stream_;
  StreamTrack track_;
};

}  // namespace

RecordedStream parse_stream(std::string_view text) {
  StreamLines lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!lines.take(text.substr(0, end))) {
      throw Error(ErrorKind::Usage, fmt::format("stream.journal: line {} is no record", number));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  RecordedStream stream = lines.stream();
  if (!stream.start.known()) {
    throw Error(ErrorKind::Usage, "stream.journal: no line says where the journal starts");
  }
  return stream;
}

}  // namespace re_dms
