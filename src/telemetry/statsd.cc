#include "telemetry/statsd.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "base/error.h"

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
  }

  std::vector<std::string> take() { return std::move(packets_); }

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
    if (packets_.empty() || packets_.back().size() + 1 + text.size() > kPacketBytesMax) {
      packets_.push_back(std::move(text));
    } else {
      packets_.back() += "\n" + text;
    }
  }

  const StatsdSettings& settings_;
  std::vector<std::string> packets_;
};

class Statsd final : public MetricReceiver {
 public:
  explicit Statsd(StatsdSettings settings) : settings_(std::move(settings)) {
    const std::size_t colon = settings_.address.rfind(':');
    if (colon == std::string::npos || colon == 0 || colon + 1 == settings_.address.size()) {
      throw Error(ErrorKind::Usage,
                  fmt::format("observe.statsd is \"{}\", not HOST:PORT", settings_.address));
    }
    host_ = settings_.address.substr(0, colon);
    port_ = settings_.address.substr(colon + 1);
    if (host_.starts_with('[') && host_.ends_with(']')) {
      host_ = host_.substr(1, host_.size() - 2);
    }
  }

  Statsd(const Statsd&) = delete;
  Statsd& operator=(const Statsd&) = delete;

  ~Statsd() override { close_socket(); }

  std::string_view name() const override { return "statsd"; }

  void send(const std::vector<Sample>& samples, const std::stop_token&) override {
    connect();
    for (const std::string& packet : statsd_packets(samples, settings_)) {
      if (::send(socket_, packet.data(), packet.size(), MSG_DONTWAIT) < 0) {
        // Nobody listens there (an ICMP answer to an earlier packet), or no room to send.
        const std::string reason = std::strerror(errno);
        close_socket();
        throw Error(ErrorKind::Transient,
                    fmt::format("StatsD at {}: {}", settings_.address, reason));
      }
    }
  }

  /// The name is resolved again after a failure: containers move.
  void connect() {
    if (socket_ >= 0) {
      return;
    }
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    const int code = ::getaddrinfo(host_.c_str(), port_.c_str(), &wanted, &found);
    if (code != 0) {
      throw Error(ErrorKind::Transient,
                  fmt::format("StatsD at {}: {}", settings_.address, ::gai_strerror(code)));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
      socket_ = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
      if (socket_ >= 0 && ::connect(socket_, at->ai_addr, at->ai_addrlen) == 0) {
        return;
      }
      close_socket();
    }
    throw Error(ErrorKind::Transient,
                fmt::format("StatsD at {}: {}", settings_.address, std::strerror(errno)));
  }

 private:
  void close_socket() {
    if (socket_ >= 0) {
      ::close(socket_);
      socket_ = -1;
    }
  }

  StatsdSettings settings_;
  std::string host_;
  std::string port_;
  int socket_ = -1;
};

}  // namespace

std::vector<std::string> statsd_packets(const std::vector<Sample>& samples,
                                        const StatsdSettings& settings) {
  Packets packets(settings);
  for (const Sample& sample : samples) {
    packets.add(sample);
  }
  return packets.take();
}

std::unique_ptr<MetricReceiver> open_statsd(const StatsdSettings& settings) {
  return std::make_unique<Statsd>(settings);
}

void check_statsd(const StatsdSettings& settings) {
  Statsd(settings).connect();
}

}  // namespace re_dms
