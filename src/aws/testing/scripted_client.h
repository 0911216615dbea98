// Services of AWS that answer what a test says, and the rest of what credentials come from.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "aws/credentials.h"
#include "aws/http_client.h"
#include "base/error.h"

namespace re_dms {

/// A request that was sent, with a body of its own.
struct SentRequest {
  HttpRequest request;
  std::string body;
};

/// From any thread.
class ScriptedClient final : public HttpClient {
 public:
  using Answer = std::function<HttpResponse(const HttpRequest&)>;

  HttpResponse send(const HttpRequest& request, const std::stop_token&) override {
    Answer answer;
    {
      const std::lock_guard lock(mutex_);
      sent_.push_back({request, std::string(request.body)});
      if (answers_.empty()) {
        throw Error(ErrorKind::Transient, request.url() + ": nobody answers");
      }
      answer = answers_.front();
      if (answers_.size() > 1) {
        answers_.pop_front();
      }
    }
    return answer(request);
  }

  /// Requests are answered in turn; the last answer is given again and again.
  void answer(Answer answer) { answers_.push_back(std::move(answer)); }

  void answer(int status, const std::string& body, const std::vector<HttpHeader>& headers = {}) {
    answer([=](const HttpRequest&) { return HttpResponse{status, headers, body}; });
  }

  void no_answer() {
    answer([](const HttpRequest& request) -> HttpResponse {
      throw Error(ErrorKind::Transient, request.url() + ": nobody answers");
    });
  }

  void forget_answers() { answers_.clear(); }

  const std::vector<SentRequest>& sent() const { return sent_; }

 private:
  std::mutex mutex_;
  std::deque<Answer> answers_;
  std::vector<SentRequest> sent_;
};

inline std::string header_of(const HttpRequest& request, std::string_view name) {
  return HttpResponse{0, request.headers, {}}.header(name);
}

/// Environment and files of a test's own.
struct MadeUpMachine {
  std::map<std::string, std::string> variables;
  std::map<std::string, std::string> files;

  AwsContext context(HttpClient& http, Clock& clock) {
    return {[this](const std::string& name) -> std::optional<std::string> {
              const auto found = variables.find(name);
              return found == variables.end() ? std::nullopt : std::optional(found->second);
            },
            [this](const std::string& path) -> std::optional<std::string> {
              const auto found = files.find(path);
              return found == files.end() ? std::nullopt : std::optional(found->second);
            },
            http, clock, "eu-west-1"};
  }
};

}  // namespace re_dms
