# FindDuckDB: duckdb.h for the build and libduckdb.so for the run, of one version.
#
# Looks in DUCKDB_ROOT (variable or environment), then where tools/setup unpacks it, and nowhere
# else: a library of the system need not be of the header's version. The library is not linked: the
# daemon loads it only for duckdb:// targets. Sets DUCKDB_LIBRARY for the install rules and gives
# the header as DuckDB::headers.
set(_duckdb_places "${DUCKDB_ROOT}" "$ENV{DUCKDB_ROOT}" "${CMAKE_SOURCE_DIR}/.deps/duckdb")
list(REMOVE_ITEM _duckdb_places "")
foreach(_duckdb_place IN LISTS _duckdb_places)
  # Header and library come from the same place: the first that has both.
  find_path(DUCKDB_INCLUDE_DIR duckdb.h PATHS "${_duckdb_place}" PATH_SUFFIXES include NO_DEFAULT_PATH)
  find_library(DUCKDB_LIBRARY duckdb PATHS "${_duckdb_place}" PATH_SUFFIXES lib NO_DEFAULT_PATH)
  if(DUCKDB_INCLUDE_DIR AND DUCKDB_LIBRARY)
    break()
  endif()
  unset(DUCKDB_INCLUDE_DIR CACHE)
  unset(DUCKDB_LIBRARY CACHE)
endforeach()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(DuckDB
  REQUIRED_VARS DUCKDB_LIBRARY DUCKDB_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run 'make deps', or set DUCKDB_ROOT to a folder with duckdb.h and libduckdb.so of DuckDB 1.4.4")
if(DuckDB_FOUND AND NOT TARGET DuckDB::headers)
  add_library(DuckDB::headers INTERFACE IMPORTED)
  target_include_directories(DuckDB::headers SYSTEM INTERFACE "${DUCKDB_INCLUDE_DIR}")
endif()
