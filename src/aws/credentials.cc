#include "aws/credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/retry.h"
#include "observe/log.h"

namespace re_dms {

namespace {

using std::chrono::minutes;

/// How long before they expire credentials are renewed, at most: AWS's own programs begin then.
constexpr minutes kRenewBefore{15};
/// From when on nobody begins anything with them: clocks differ, and requests take their time.
constexpr minutes kUsableUntil{1};
constexpr minutes kRenewPause{1};

/// Those of a short life are renewed when three quarters of it are over.
SystemTime time_to_renew(const Credentials& credentials, SystemTime now) {
  if (!credentials.expires) {
    return SystemTime::max();
  }
  const auto life = *credentials.expires - now;
  return *credentials.expires - std::min<SystemTime::duration>(kRenewBefore, life / 4);
}

}  // namespace

CredentialChain::CredentialChain(std::vector<std::unique_ptr<CredentialSource>> sources,
                                 Clock& clock)
    : sources_(std::move(sources)), clock_(clock) {}

bool CredentialChain::usable(SystemTime now) const {
  return kept_ && !refused_ && (!kept_->expires || now < *kept_->expires - kUsableUntil);
}

Credentials CredentialChain::get(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const SystemTime now = clock_.now();
    if (usable(now) && (renewing_ || now < renew_at_)) {
      return *kept_;
    }
    if (!renewing_) {
      break;
    }
    if (!renewed_.wait(lock, stop, [this] { return !renewing_; })) {
      throw Stopped();
    }
  }
  renewing_ = true;
  const bool had_some = kept_.has_value();
  std::optional<Credentials> fresh;
  std::optional<Error> failure;
  lock.unlock();
  try {
    fresh = ask_sources(had_some, stop);
  } catch (const Error& error) {
    failure = error;
  }
  lock.lock();
  renewing_ = false;
  renewed_.notify_all();
  const SystemTime now = clock_.now();
  if (fresh) {
    kept_ = std::move(fresh);
    refused_ = false;
    renew_at_ = time_to_renew(*kept_, now);
  } else if (usable(now) && !stop.stop_requested()) {
    renew_at_ = now + kRenewPause;
    log(LogLevel::Warn, "credentials_not_renewed", failure->message(),
        {{"expires", to_text(*kept_->expires)}});
  } else if (stop.stop_requested()) {
    throw Stopped();
  } else {
    throw Error(*failure);
  }
  return *kept_;
}

void CredentialChain::refused(const Credentials& credentials) {
  const std::lock_guard lock(mutex_);
  if (kept_ && kept_->same_keys(credentials)) {
    refused_ = true;
  }
}

Credentials CredentialChain::ask_sources(bool had_some, const std::stop_token& stop) {
  std::string tried;
  bool unreachable = false;
  const auto note = [&tried](const CredentialSource& source, const std::string& reason) {
    tried += fmt::format("{}{}: {}", tried.empty() ? "" : "; ", source.name(), reason);
  };
  for (const auto& source : sources_) {
    try {
      SourceAnswer answer = source->ask(stop);
      if (answer.credentials && answer.credentials->expires &&
          *answer.credentials->expires <= clock_.now()) {
        throw Error(ErrorKind::Transient, fmt::format("it gave credentials that expired at {}",
                                                      to_text(*answer.credentials->expires)));
      }
      if (answer.credentials) {
        return *std::move(answer.credentials);
      }
      unreachable = unreachable || answer.unreachable;
      note(*source, answer.why_not);
    } catch (const Stopped&) {
      throw;
    } catch (const Error& error) {
      note(*source, error.message());
      throw Error(error.kind(), "no credentials for AWS: " + tried, error.advice());
    }
  }
  // Where there were some, whoever gave them is away; else nothing was ever set up.
  throw Error(
      had_some && unreachable ? ErrorKind::Transient : ErrorKind::Fatal,
      "no credentials for AWS: " + tried,
      "Give the daemon a role (instance profile, ECS task role, EKS service account), name a "
      "profile in stage.profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
}

}  // namespace re_dms
