// How parts of the status are read from JSON: what is missing keeps its default.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "base/clock.h"

namespace re_dms {

using OrderedJson = nlohmann::ordered_json;

/// A value of `object`, or what `to` holds when there is none.
template <typename T>
void take(const OrderedJson& object, const char* key, T& to) {
  const auto found = object.find(key);
  if (found != object.end() && !found->is_null()) {
    to = found->get<T>();
  }
}

template <typename T>
void take(const OrderedJson& object, const char* key, std::optional<T>& to) {
  const auto found = object.find(key);
  if (found != object.end() && !found->is_null()) {
    to = found->get<T>();
  }
}

/// Null for what is not known.
template <typename T>
OrderedJson optional_json(const std::optional<T>& value) {
  return value ? OrderedJson(*value) : OrderedJson();
}

/// RFC 3339 in UTC.
std::string time_json(SystemTime time);

/// Reads what time_json writes; the epoch when it is something else.
SystemTime parse_time(const std::string& text);

}  // namespace re_dms
