#include "stage/s3_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <random>

#include "base/error.h"
#include "stage/s3_store.h"

namespace re_dms {

namespace {

using Status = CheckResult::Status;

constexpr std::string_view kProbeBody = "re_dms check";
constexpr std::chrono::milliseconds kCheckPatience{3000};
// S3 refuses what is signed more than 15 minutes off.
constexpr std::chrono::seconds kClockFails{600};
constexpr std::chrono::seconds kClockWarns{60};

/// One step; what it throws is its failure.
CheckResult attempt(const std::string& name, const std::function<std::string()>& step,
                    Status if_refused = Status::Fail) {
  try {
    return {Status::Ok, name, step(), ""};
  } catch (const Error& error) {
    return {if_refused, name, error.message(),
            error.advice().empty() ? "Try again; see whether the store can be reached from here"
                                   : error.advice()};
  }
}

CheckResult check_encryption(const S3Settings& settings, const HttpResponse& put) {
  const std::string kind = put.header("x-amz-server-side-encryption");
  const std::string key = put.header("x-amz-server-side-encryption-aws-kms-key-id");
  CheckResult result{Status::Ok, "stage: encryption",
                     kind.empty() ? "the store says nothing of it"
                                  : fmt::format("{}{}{}", kind, key.empty() ? "" : ", key ", key),
                     ""};
  if (!settings.sse.empty() && kind != settings.sse) {
    result.status = Status::Fail;
    result.finding = fmt::format("asked for {} (stage.sse), the store {}", settings.sse,
                                 kind.empty() ? "says nothing of it" : "took " + kind);
    result.fix = "Choose another stage.sse, or a store that encrypts like this";
  } else if (settings.sse.empty() && !kind.empty()) {
    result.finding += " (the bucket's default)";
  }
  return result;
}

CheckResult check_clock(const HttpResponse& response, SystemTime now) {
  CheckResult result{Status::Ok, "stage: clock", "", ""};
  const auto ahead = clock_ahead(response.header("date"), now);
  if (!ahead) {
    result.finding = "the store does not say what time it has";
    return result;
  }
  const auto apart = std::chrono::abs(*ahead);
  result.finding =
      fmt::format("{} s {} the store's", apart.count(), ahead->count() < 0 ? "behind" : "ahead of");
  if (apart > kClockWarns) {
    result.status = apart > kClockFails ? Status::Fail : Status::Warn;
    result.fix =
        "Set this machine's clock (chrony or systemd-timesyncd keep it right): S3 refuses "
        "requests that are 15 minutes off";
  }
  return result;
}

std::string probe_key() {
  std::random_device dice;
  return fmt::format("check-{:08x}{:08x}", dice(), dice());
}

}  // namespace

std::vector<CheckResult> check_s3(const S3Settings& settings, const S3Wiring& wiring) {
  std::vector<CheckResult> results;
  const auto failed = [&results] { return results.back().status == Status::Fail; };
  results.push_back(
      attempt("stage: credentials", [&] { return wiring.credentials->get(wiring.stop).source; }));
  if (failed()) {
    return results;
  }
  std::optional<S3Client> client;
  results.push_back(attempt("stage: region", [&] {
    client.emplace(settings, wiring);
    return fmt::format("{}, at {}", client->address().region, client->address().origin);
  }));
  if (failed()) {
    return results;
  }
  const std::string key = probe_key();
  HttpResponse put;
  results.push_back(attempt("stage: write", [&] {
    put = put_object(*client, settings, key, kProbeBody);
    return client->root() + " can be written";
  }));
  if (failed()) {
    return results;
  }
  results.push_back(check_encryption(settings, put));
  results.push_back(check_clock(put, wiring.clock.now()));
  // What re_dms itself does not need, but whoever loads the files does.
  results.push_back(attempt(
      "stage: read",
      [&] {
        const HttpResponse got =
            client->send({"GET", key}, {"cannot read " + client->url_of(key), "s3:GetObject"});
        if (got.body != kProbeBody) {
          throw Error(ErrorKind::Fatal, client->url_of(key) + " is not what was written",
                      "See what stands between this machine and the store");
        }
        return std::string("what was written is read");
      },
      Status::Warn));
  results.push_back(attempt("stage: list", [&] {
    const std::vector<std::string> keys = list_objects(*client, key);
    if (keys != std::vector{key}) {
      throw Error(ErrorKind::Fatal, "an object that was written is not in the list",
                  "Use a store that lists what was written before, as S3 does");
    }
    return std::string("what was written is listed");
  }));
  results.push_back(attempt("stage: delete", [&] {
    make_s3_store(settings, wiring)->remove_all({key});
    return std::string("what was written is removed");
  }));
  return results;
}

std::vector<CheckResult> check_s3(const S3Settings& settings) {
  try {
    S3Wiring wiring = wire_s3(settings, {});
    wiring.patience = kCheckPatience;
    return check_s3(settings, wiring);
  } catch (const Error& error) {
    return {{Status::Fail, "stage", error.message(), error.advice()}};
  }
}

}  // namespace re_dms
