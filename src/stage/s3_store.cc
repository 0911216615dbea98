#include "stage/s3_store.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <limits>
#include <pugixml.hpp>
#include <span>
#include <sstream>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/error.h"
#include "stage/object_key.h"

namespace re_dms {

namespace {

constexpr std::size_t kKeysPerDelete = 1000;  // S3's own limit

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string md5_base64(std::string_view bytes) {
  std::array<char, 16> digest{};
  RE_DMS_CHECK(EVP_Digest(bytes.data(), bytes.size(),
                          reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_md5(),
                          nullptr) == 1);
  return base64({digest.data(), digest.size()});
}

std::string crc32c_base64(std::string_view bytes) {
  std::string big_endian;
  append_be(big_endian, crc32c(0, bytes));
  return base64(big_endian);
}

/// XML has no way to write most control characters.
void check_s3_key(std::string_view key) {
  check_key(key);
  if (std::ranges::any_of(key, [](unsigned char c) { return c < 0x20; })) {
    throw Error(ErrorKind::Fatal, fmt::format("\"{}\" is not a valid key of an object in S3", key));
  }
}

[[noreturn]] void no_answer_of_s3(const std::string& what, const S3Client& client) {
  throw Error(
      ErrorKind::Transient,
      fmt::format("{}: {} gave an answer that is none of S3's", what, client.address().origin),
      "See whether a proxy answers in its place, and stage.endpoint");
}

std::string delete_request(const S3Client& client, std::span<const std::string> keys) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("Delete");
  root.append_child("Quiet").text() = "true";
  for (const std::string& key : keys) {
    root.append_child("Object").append_child("Key").text() =
        (client.address().prefix + key).c_str();
  }
  std::ostringstream text;
  document.save(text, "", pugi::format_raw | pugi::format_no_declaration);
  return text.str();
}

void delete_objects(const S3Client& client, std::span<const std::string> keys) {
  const std::string body = delete_request(client, keys);
  const S3Question question{
      fmt::format("cannot remove {} objects below {}", keys.size(), client.root()),
      "s3:DeleteObject"};
  S3Request request{"POST", "", {{"delete", ""}}, {{"content-md5", md5_base64(body)}}, body};
  request.even_when_stopped = true;
  const HttpResponse response = client.send(request, question);
  pugi::xml_document document;
  document.load_buffer(response.body.data(), response.body.size());
  const pugi::xml_node result = document.child("DeleteResult");
  if (!result) {
    no_answer_of_s3(question.what, client);
  }
  for (const pugi::xml_node error : result.children("Error")) {
    S3Failure failure;
    failure.code = error.child_value("Code");
    if (failure.code == "NoSuchKey") {
      continue;
    }
    failure.status = failure.code == "AccessDenied" ? 403 : 200;
    failure.message = fmt::format("{}: {}", error.child_value("Key"), error.child_value("Message"));
    failure.request_id = response.header("x-amz-request-id");
    throw_failure(failure, question, client.address(), client.wiring().credentials->get({}),
                  client.wiring().clock.now());
  }
}

class S3Object final : public ObjectWriter {
 public:
  S3Object(const S3Client& client, const S3Settings& settings, std::string key)
      : client_(client), settings_(settings), key_(std::move(key)) {}

  void append(std::string_view bytes) override {
    RE_DMS_CHECK(!finished_);
    if (body_.size() + bytes.size() > kS3ObjectBytesMax) {
      throw Error(
          ErrorKind::Fatal,
          fmt::format("{} would have more than {} MiB, the most that re_dms writes to S3 at "
                      "once",
                      client_.url_of(key_), kS3ObjectBytesMax >> 20),
          "Lower batch.max_row_bytes: a row that large is then set aside with its table");
    }
    body_ += bytes;
  }

  std::string finish() override {
    RE_DMS_CHECK(!finished_);
    put_object(client_, settings_, key_, body_);
    finished_ = true;
    body_ = std::string();
    return client_.url_of(key_);
  }

 private:
  const S3Client& client_;
  const S3Settings& settings_;
  std::string key_;
  std::string body_;
  bool finished_ = false;
};

class S3Store final : public ObjectStore {
 public:
  S3Store(const S3Settings& settings, S3Wiring wiring)
      : settings_(settings), client_(settings, std::move(wiring)) {}

  std::unique_ptr<ObjectWriter> create(const std::string& key) override {
    check_s3_key(key);
    return std::make_unique<S3Object>(client_, settings_, key);
  }

  std::vector<std::string> list(const std::string& prefix) override {
    check_key_beginning(prefix);
    return list_objects(client_, prefix);
  }

  std::vector<std::string> list_unfinished(const std::string&) override { return {}; }

  void remove(const std::string& key) override {
    check_s3_key(key);
    delete_object(client_, key);
  }

  void remove_all(const std::vector<std::string>& keys) override {
    std::ranges::for_each(keys, check_s3_key);
    for (std::span<const std::string> rest(keys); !rest.empty();) {
      const std::size_t count = std::min(rest.size(), kKeysPerDelete);
      delete_objects(client_, rest.first(count));
      rest = rest.subspan(count);
    }
  }

  Compression compression() const override { return Compression::Fast; }

  std::uint64_t free_bytes() const override { return std::numeric_limits<std::uint64_t>::max(); }

  std::string key_of(const std::string& path) const override {
    if (!path.starts_with(client_.root()) || path.size() == client_.root().size()) {
      throw Error(ErrorKind::Fatal,
                  fmt::format("{} is not a staged object below {}", path, client_.root()));
    }
    return path.substr(client_.root().size());
  }

 private:
  S3Settings settings_;
  S3Client client_;
};

}  // namespace

std::vector<HttpHeader> encryption_headers(const S3Settings& settings) {
  std::vector<HttpHeader> headers;
  if (!settings.sse.empty()) {
    headers.push_back({"x-amz-server-side-encryption", settings.sse});
  }
  if (!settings.kms_key_id.empty()) {
    headers.push_back({"x-amz-server-side-encryption-aws-kms-key-id", settings.kms_key_id});
  }
  return headers;
}

HttpResponse put_object(const S3Client& client, const S3Settings& settings, const std::string& key,
                        std::string_view body) {
  const S3Question question{"cannot write " + client.url_of(key), "s3:PutObject"};
  S3Request request{"PUT", key, {}, encryption_headers(settings), body};
  request.headers.push_back({"x-amz-checksum-crc32c", crc32c_base64(body)});
  HttpResponse response = client.send(request, question);
  // Every such store names what it has stored; a proxy that answers 200 to everything does not.
  if (response.header("etag").empty()) {
    no_answer_of_s3(question.what, client);
  }
  return response;
}

std::vector<std::string> list_objects(const S3Client& client, const std::string& prefix) {
  const S3Question question{fmt::format("cannot list {}{}", client.root(), prefix), "s3:ListBucket",
                            true};
  const std::string& root = client.address().prefix;
  std::vector<std::string> keys;
  std::string next;
  do {
    S3Request request{"GET", "", {{"list-type", "2"}, {"encoding-type", "url"}}};
    request.query.emplace_back("prefix", root + prefix);
    if (!next.empty()) {
      request.query.emplace_back("continuation-token", next);
    }
    const HttpResponse response = client.send(request, question);
    pugi::xml_document document;
    document.load_buffer(response.body.data(), response.body.size());
    const pugi::xml_node result = document.child("ListBucketResult");
    if (!result) {
      no_answer_of_s3(question.what, client);
    }
    const bool escaped = result.child_value("EncodingType") == std::string_view("url");
    for (const pugi::xml_node object : result.children("Contents")) {
      const std::string written = object.child_value("Key");
      const std::string whole = escaped ? percent_decode(written) : written;
      if (whole.starts_with(root + prefix) && is_key(whole.substr(root.size()))) {
        keys.push_back(whole.substr(root.size()));
      }
    }
    next = result.child_value("NextContinuationToken");
    if (result.child_value("IsTruncated") != std::string_view("true")) {
      next.clear();
    } else if (next.empty()) {
      no_answer_of_s3(question.what, client);
    }
  } while (!next.empty());
  std::ranges::sort(keys);
  return keys;
}

void delete_object(const S3Client& client, const std::string& key) {
  S3Request request{"DELETE", key};
  request.even_when_stopped = true;
  client.send(request, {"cannot remove " + client.url_of(key), "s3:DeleteObject"});
}

std::unique_ptr<ObjectStore> make_s3_store(const S3Settings& settings, S3Wiring wiring) {
  return std::make_unique<S3Store>(settings, std::move(wiring));
}

}  // namespace re_dms
