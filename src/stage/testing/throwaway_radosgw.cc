#include "stage/testing/throwaway_radosgw.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

namespace re_dms {

namespace {

/// Whether each thread of the process is stopped.
bool stands_still(int process) {
  const auto threads = std::filesystem::path("/proc") / std::to_string(process) / "task";
  for (const auto& thread : std::filesystem::directory_iterator(threads)) {
    std::ifstream file(thread.path() / "stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    const std::size_t name_end = stat.rfind(')');
    if (name_end + 2 >= stat.size() || stat[name_end + 2] != 'T') {
      return false;
    }
  }
  return true;
}

Credentials user_of(const nlohmann::json& facts, const char* name) {
  const nlohmann::json& keys = facts.at("users").at(name);
  return {keys.at(0), keys.at(1), "", std::nullopt, name, true};
}

}  // namespace

ThrowawayRadosgw::ThrowawayRadosgw(const std::vector<std::string>& settings) {
  std::string folder = (std::filesystem::temp_directory_path() / "re_dms_s3_XXXXXX").string();
  int input[2];
  int output[2];
  if (::mkdtemp(folder.data()) == nullptr || ::pipe2(input, O_CLOEXEC) != 0 ||
      ::pipe2(output, O_CLOEXEC) != 0) {
    throw std::runtime_error("cannot make a folder for radosgw");
  }
  folder_ = folder;
  to_ = input[1];
  from_ = output[0];
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  std::vector<std::string> words = {"python3", RE_DMS_RADOSGW_PROGRAM, folder_ + "/server"};
  words.insert(words.end(), settings.begin(), settings.end());
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  const int failure =
      ::posix_spawn(&process_, RE_DMS_PYTHON_PROGRAM, &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(input[0]);
  ::close(output[1]);
  if (failure != 0) {
    throw std::runtime_error("cannot start " RE_DMS_PYTHON_PROGRAM);
  }
  read_facts();
}

ThrowawayRadosgw::~ThrowawayRadosgw() {
  ::close(to_);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  ::close(from_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void ThrowawayRadosgw::signal(int number) const {
  ::kill(server_, number);
  // Threads stop one after the other, and one that has not may still answer.
  while (number == SIGSTOP && !stands_still(server_)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void ThrowawayRadosgw::restart() {
  constexpr std::string_view kWord = "restart\n";
  if (::write(to_, kWord.data(), kWord.size()) != static_cast<ssize_t>(kWord.size())) {
    throw std::runtime_error("radosgw's program has ended");
  }
  read_facts();
}

void ThrowawayRadosgw::read_facts() {
  std::string line;
  char byte = 0;
  while (::read(from_, &byte, 1) == 1 && byte != '\n') {
    line += byte;
  }
  const nlohmann::json facts = nlohmann::json::parse(line, nullptr, false);
  if (!facts.is_object()) {
    throw std::runtime_error("radosgw did not start; see what its program said above");
  }
  endpoint = facts.at("endpoint");
  named_endpoint = facts.at("named_endpoint");
  tls_endpoint = facts.at("tls_endpoint");
  ca_file = facts.at("ca_file");
  kms_key_id = facts.at("kms_key_id");
  owner = user_of(facts, "owner");
  stranger = user_of(facts, "stranger");
  server_ = facts.at("pid");
}

}  // namespace re_dms
