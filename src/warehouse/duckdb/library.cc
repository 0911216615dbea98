#include "warehouse/duckdb/library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace re_dms::duckdb {

namespace {

// duckdb.h does not say which version it is of; the functions and error codes used here are those
// of this one, and the behaviour the loads rely on was tried with it.
constexpr std::string_view kVersion = "v1.4.4";

constexpr std::string_view kAdvice =
    "Install re_dms with its DuckDB library, or set RE_DMS_DUCKDB_LIBRARY to the path of "
    "libduckdb.so of that version";

std::vector<std::string> places() {
  if (const char* chosen = std::getenv("RE_DMS_DUCKDB_LIBRARY");
      chosen != nullptr && *chosen != 0) {
    return {chosen};
  }
  std::vector<std::string> found;
  std::error_code failure;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failure);
  if (!failure) {
    const auto root = program.parent_path().parent_path();
    found.push_back((root / "lib" / "re_dms" / "libduckdb.so").string());
  }
#ifdef RE_DMS_DUCKDB_LIBRARY_OF_BUILD
  found.emplace_back(RE_DMS_DUCKDB_LIBRARY_OF_BUILD);
#endif
  std::erase_if(found, [](const std::string& path) { return !std::filesystem::exists(path); });
  found.emplace_back("libduckdb.so");
  return found;
}

class SymbolReader {
 public:
  SymbolReader(void* handle, std::string_view path) : handle_(handle), path_(path) {}

  template <typename F>
  void read(F& function, const char* name) const {
    function = reinterpret_cast<F>(::dlsym(handle_, name));
    if (function == nullptr) {
      throw Error(ErrorKind::Usage, fmt::format("{} has no function {}", path_, name),
                  std::string(kAdvice));
    }
  }

 private:
  void* handle_;
  std::string_view path_;
};

Library read_functions(const SymbolReader& symbols) {
  Library functions;
  symbols.read(functions.library_version, "duckdb_library_version");
  if (const std::string_view version = functions.library_version(); version != kVersion) {
    throw Error(
        ErrorKind::Usage,
        fmt::format("the DuckDB library found is {}, this re_dms needs {}", version, kVersion),
        std::string(kAdvice));
  }
  symbols.read(functions.create_config, "duckdb_create_config");
  symbols.read(functions.set_config, "duckdb_set_config");
  symbols.read(functions.destroy_config, "duckdb_destroy_config");
  symbols.read(functions.open_ext, "duckdb_open_ext");
  symbols.read(functions.close, "duckdb_close");
  symbols.read(functions.connect, "duckdb_connect");
  symbols.read(functions.disconnect, "duckdb_disconnect");
  symbols.read(functions.query, "duckdb_query");
  symbols.read(functions.interrupt, "duckdb_interrupt");
  symbols.read(functions.destroy_result, "duckdb_destroy_result");
  symbols.read(functions.result_error, "duckdb_result_error");
  symbols.read(functions.result_error_type, "duckdb_result_error_type");
  symbols.read(functions.rows_changed, "duckdb_rows_changed");
  symbols.read(functions.column_count, "duckdb_column_count");
  symbols.read(functions.fetch_chunk, "duckdb_fetch_chunk");
  symbols.read(functions.destroy_data_chunk, "duckdb_destroy_data_chunk");
  symbols.read(functions.data_chunk_get_size, "duckdb_data_chunk_get_size");
  symbols.read(functions.data_chunk_get_vector, "duckdb_data_chunk_get_vector");
  symbols.read(functions.vector_get_data, "duckdb_vector_get_data");
  symbols.read(functions.vector_get_validity, "duckdb_vector_get_validity");
  symbols.read(functions.validity_row_is_valid, "duckdb_validity_row_is_valid");
  symbols.read(functions.string_t_length, "duckdb_string_t_length");
  symbols.read(functions.string_t_data, "duckdb_string_t_data");
  symbols.read(functions.table_description_create, "duckdb_table_description_create_ext");
  symbols.read(functions.table_description_error, "duckdb_table_description_error");
  symbols.read(functions.table_description_destroy, "duckdb_table_description_destroy");
  symbols.read(functions.free, "duckdb_free");
  return functions;
}

Library load() {
  std::string problem;
  for (const std::string& path : places()) {
    // Never closed: the library has threads and exit handlers of its own.
    if (void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL); handle != nullptr) {
      return read_functions(SymbolReader(handle, path));
    }
    problem = ::dlerror();
  }
  throw Error(ErrorKind::Usage,
              fmt::format("a duckdb:// warehouse needs the DuckDB library {}, which cannot be "
                          "loaded: {}",
                          kVersion, problem),
              std::string(kAdvice));
}

}  // namespace

const Library& library() {
  static const Library kLoaded = load();
  return kLoaded;
}

std::string library_version() {
  return std::string(kVersion);
}

}  // namespace re_dms::duckdb
