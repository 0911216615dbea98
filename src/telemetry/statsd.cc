#include "telemetry/statsd.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/retry.h"

namespace re_dms {

namespace {

/// Ethernet's 1,500 without the headers of IPv6 and UDP, as DogStatsD's clients have it.
constexpr std::size_t kPacketBytesMax = 1432;

/// What neither kind of server takes for syntax.
std::string plain(std::string_view text) {
  std::string made(text);
  for (char& c : made) {
    const bool kept = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' ||
                      c == '.' || c == '/';
    c = kept ? c : '_';
  }
  return made;
}

class Packets {
 public:
  explicit Packets(const StatsdSettings& settings) : settings_(settings) {}

  void add(const Sample& sample) {
    lines_.clear();
    const std::string_view name = sample.metric->name;
    switch (sample.metric->type) {
      case MetricType::Gauge:
        line(std::string(name), sample, sample.value, "g");
        break;
      case MetricType::Counter:
        line(std::string(name), sample, sample.value, "c");
        break;
      case MetricType::Histogram:
        line(fmt::format("{}_count", name), sample, static_cast<double>(sample.count()), "c");
        line(fmt::format("{}_sum", name), sample, sample.value, "c");
        for (const BucketSample& bucket : sample.buckets) {
          if (settings_.tags) {
            line(fmt::format("{}_bucket", name), sample, static_cast<double>(bucket.count), "c",
                 fmt::format(",le:{}", bucket.upper));
          }
        }
        break;
    }
    place_lines();
  }

  std::vector<MetricParcel> take() { return std::move(packets_); }

 private:
  void line(std::string name, const Sample& sample, double value, std::string_view type,
            std::string_view more_tags = {}) {
    const bool labelled = !sample.metric->label.empty();
    if (!settings_.tags && labelled) {
      std::string label = plain(sample.label);
      std::replace(label.begin(), label.end(), '.', '_');
      name += "." + label;
    }
    // A plain server takes a sign for a change of the gauge.
    std::string text = fmt::format("{}:{}|{}", name, std::max(value, 0.0), type);
    if (settings_.tags) {
      text += fmt::format("|#slot:{}", plain(settings_.slot));
      if (labelled) {
        text += fmt::format(",{}:{}", sample.metric->label, plain(sample.label));
      }
      text += more_tags;
    }
    lines_.push_back(std::move(text));
  }

  /// All lines of a sample into one packet, where one holds them.
  void place_lines() {
    std::size_t bytes = 0;
    for (const std::string& text : lines_) {
      bytes += 1 + text.size();
    }
    if (!has_room(bytes)) {
      packets_.emplace_back();
    }
    for (const std::string& text : lines_) {
      if (!has_room(1 + text.size())) {
        packets_.emplace_back();
      }
      std::string& packet = packets_.back().text;
      packet += packet.empty() ? text : "\n" + text;
    }
    ++packets_.back().samples;
  }

  bool has_room(std::size_t bytes) const {
    return !packets_.empty() && packets_.back().text.size() + bytes <= kPacketBytesMax;
  }

  const StatsdSettings& settings_;
  std::vector<std::string> lines_;  ///< of the sample that is being added
  std::vector<MetricParcel> packets_;
};

/// Throws Usage unless the address is HOST:PORT.
HostLookup lookup_of(const std::string& address, HostLookup::Resolver resolver) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) {
    throw Error(ErrorKind::Usage, fmt::format("observe.statsd is \"{}\", not HOST:PORT", address));
  }
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  return {std::move(host), address.substr(colon + 1), std::move(resolver)};
}

class Statsd final : public MetricReceiver {
 public:
  Statsd(StatsdSettings settings, HostLookup::Resolver resolver)
      : settings_(std::move(settings)),
        lookup_(lookup_of(settings_.address, std::move(resolver))) {}

  Statsd(const Statsd&) = delete;
  Statsd& operator=(const Statsd&) = delete;

  ~Statsd() override { close_socket(); }

  std::string_view name() const override { return "statsd"; }

  std::vector<MetricParcel> pack(const std::vector<Sample>& samples) override {
    return statsd_packets(samples, settings_);
  }

  void send(const MetricParcel& parcel, const std::stop_token& stop) override {
    connect(stop);
    if (::send(socket_, parcel.text.data(), parcel.text.size(), MSG_DONTWAIT) < 0) {
      fail(errno);
    }
    // On the same machine the answer that nobody listens is here already.
    int refused = 0;
    socklen_t size = sizeof(refused);
    if (::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &refused, &size) == 0 && refused != 0) {
      fail(refused);
    }
  }

  /// The name is looked up again after a failure: containers move.
  void connect(const std::stop_token& stop) {
    if (socket_ >= 0) {
      return;
    }
    std::vector<SocketAddress> addresses;
    try {
      addresses = lookup_.ask(stop);
    } catch (const Stopped&) {
      throw;
    } catch (Error& error) {
      throw Error(error.in("StatsD at " + settings_.address));
    }
    int reason = 0;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      const SocketAddress& address = addresses[(first_ + i) % addresses.size()];
      const auto* const generic = reinterpret_cast<const sockaddr*>(&address.storage);
      socket_ = ::socket(generic->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      if (socket_ >= 0 && ::connect(socket_, generic, address.length) == 0) {
        return;
      }
      reason = errno;
      close_socket();
    }
    fail(reason);
  }

 private:
  /// Of a name with several addresses (localhost is ::1, too) the next one is tried first then.
  [[noreturn]] void fail(int reason) {
    close_socket();
    ++first_;
    throw Error(ErrorKind::Transient,
                fmt::format("StatsD at {}: {}", settings_.address, std::strerror(reason)));
  }

  void close_socket() {
    if (socket_ >= 0) {
      ::close(socket_);
      socket_ = -1;
    }
  }

  StatsdSettings settings_;
  HostLookup lookup_;
  int socket_ = -1;
  std::size_t first_ = 0;  ///< of the addresses
};

}  // namespace

std::vector<MetricParcel> statsd_packets(const std::vector<Sample>& samples,
                                         const StatsdSettings& settings) {
  Packets packets(settings);
  for (const Sample& sample : samples) {
    packets.add(sample);
  }
  return packets.take();
}

std::unique_ptr<MetricReceiver> open_statsd(const StatsdSettings& settings,
                                            HostLookup::Resolver resolver) {
  return std::make_unique<Statsd>(settings, std::move(resolver));
}

void check_statsd(const StatsdSettings& settings) {
  Statsd(settings, &resolve).connect({});
}

}  // namespace re_dms
