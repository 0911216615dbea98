// DuckDB's C interface, loaded at run time: a daemon with another target runs without the library.
#pragma once

#include <duckdb.h>

#include <string>

namespace re_dms::duckdb {

/// The functions of libduckdb.so this engine calls, each of the type duckdb.h declares.
struct Library {
  decltype(&::duckdb_library_version) library_version = nullptr;
  decltype(&::duckdb_create_config) create_config = nullptr;
  decltype(&::duckdb_set_config) set_config = nullptr;
  decltype(&::duckdb_destroy_config) destroy_config = nullptr;
  decltype(&::duckdb_open_ext) open_ext = nullptr;
  decltype(&::duckdb_close) close = nullptr;
  decltype(&::duckdb_connect) connect = nullptr;
  decltype(&::duckdb_disconnect) disconnect = nullptr;
  decltype(&::duckdb_query) query = nullptr;
  decltype(&::duckdb_interrupt) interrupt = nullptr;
  decltype(&::duckdb_destroy_result) destroy_result = nullptr;
  decltype(&::duckdb_result_error) result_error = nullptr;
  decltype(&::duckdb_result_error_type) result_error_type = nullptr;
  decltype(&::duckdb_rows_changed) rows_changed = nullptr;
  decltype(&::duckdb_column_count) column_count = nullptr;
  decltype(&::duckdb_fetch_chunk) fetch_chunk = nullptr;
  decltype(&::duckdb_destroy_data_chunk) destroy_data_chunk = nullptr;
  decltype(&::duckdb_data_chunk_get_size) data_chunk_get_size = nullptr;
  decltype(&::duckdb_data_chunk_get_vector) data_chunk_get_vector = nullptr;
  decltype(&::duckdb_vector_get_data) vector_get_data = nullptr;
  decltype(&::duckdb_vector_get_validity) vector_get_validity = nullptr;
  decltype(&::duckdb_validity_row_is_valid) validity_row_is_valid = nullptr;
  decltype(&::duckdb_string_t_length) string_t_length = nullptr;
  decltype(&::duckdb_string_t_data) string_t_data = nullptr;
  decltype(&::duckdb_table_description_create_ext) table_description_create = nullptr;
  decltype(&::duckdb_table_description_error) table_description_error = nullptr;
  decltype(&::duckdb_table_description_destroy) table_description_destroy = nullptr;
  decltype(&::duckdb_free) free = nullptr;
};

/// Loads the library once per process. Looks where RE_DMS_DUCKDB_LIBRARY says and nowhere else;
/// when that is not set, beside the installed program, then where the build found it, then where
/// the system looks. Throws Usage when there is none, or one of another version than this program
/// was built for. From any thread.
const Library& library();

/// The version library() accepts: "v1.4.4".
std::string library_version();

}  // namespace re_dms::duckdb
