# The Debian packages: re-dms, its debug symbols (re-dms-dbgsym), and DuckDB's library by itself
# (re-dms-duckdb), which a daemon for Redshift does not need.
set(RE_DMS_PACKAGE_VERSION "${PROJECT_VERSION}-${RE_DMS_PACKAGE_RELEASE}")

# The one that the program takes.
set(library "${CMAKE_SOURCE_DIR}/src/warehouse/duckdb/library.cc")
file(STRINGS "${library}" version_line REGEX "kVersion = ")
if(NOT version_line MATCHES "\"v([0-9.]+)\"")
  message(FATAL_ERROR "${library} names no version of DuckDB")
endif()
set(RE_DMS_DUCKDB_VERSION "${CMAKE_MATCH_1}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${library}")

# Of the last commit, where `make package` says so; else now.
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  set(date_of --date=@$ENV{SOURCE_DATE_EPOCH})
endif()
execute_process(COMMAND date --utc -R ${date_of} OUTPUT_VARIABLE RE_DMS_PACKAGE_DATE
  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

foreach(RE_DMS_PACKAGE re-dms re-dms-duckdb)
  configure_file(debian/changelog.in "${made}/${RE_DMS_PACKAGE}.changelog" @ONLY)
  execute_process(COMMAND "${RE_DMS_GZIP}" -9nc "${made}/${RE_DMS_PACKAGE}.changelog"
    OUTPUT_FILE "${made}/${RE_DMS_PACKAGE}.changelog.gz" COMMAND_ERROR_IS_FATAL ANY)
endforeach()
# In packages only: `make install` changes nothing in /etc, and has no dpkg.
install(FILES etc/re_dms.toml DESTINATION /etc/re_dms COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES "${made}/re-dms.changelog.gz" DESTINATION share/doc/re-dms RENAME changelog.Debian.gz
  COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES debian/lintian-overrides DESTINATION share/lintian/overrides RENAME re-dms
  COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES "${made}/re-dms-duckdb.changelog.gz" DESTINATION share/doc/re-dms-duckdb
  RENAME changelog.Debian.gz COMPONENT debian-duckdb EXCLUDE_FROM_ALL)
install(FILES debian/lintian-overrides-duckdb DESTINATION share/lintian/overrides RENAME re-dms-duckdb
  COMPONENT debian-duckdb EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_DIRECTORY "${CMAKE_SOURCE_DIR}/build/packages")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_CONTACT "${RE_DMS_MAINTAINER}")
set(CPACK_COMPONENTS_ALL daemon debian duckdb debian-duckdb)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_PACKAGE_RELEASE "${RE_DMS_PACKAGE_RELEASE}")
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(CPACK_DEBIAN_DAEMON_PACKAGE_NAME re-dms)
set(CPACK_DEBIAN_DAEMON_DEBUGINFO_PACKAGE ON)
set(CPACK_DEBIAN_DAEMON_PACKAGE_DEPENDS "adduser")
set(CPACK_DEBIAN_DAEMON_PACKAGE_RECOMMENDS "re-dms-duckdb, ca-certificates")
# One that the program would refuse: whoever upgrades gets both packages or neither. Revisions with
# the same DuckDB go together.
set(CPACK_DEBIAN_DAEMON_PACKAGE_BREAKS
  "re-dms-libduckdb (<< ${RE_DMS_DUCKDB_VERSION}), re-dms-libduckdb (>> ${RE_DMS_DUCKDB_VERSION})")
set(CPACK_DEBIAN_DAEMON_PACKAGE_SUGGESTS "postgresql")
set(CPACK_DEBIAN_DAEMON_DESCRIPTION "stream a PostgreSQL database into a warehouse
One daemon that reads a logical replication slot, keeps what it read safe in a
log of its own, folds many changes of a row into one, and loads them in large
batches into Amazon Redshift or a DuckDB file, seconds to minutes behind.")
set(CPACK_DEBIAN_DAEMON_PACKAGE_CONTROL_EXTRA
  "${CMAKE_CURRENT_SOURCE_DIR}/debian/postinst;${CMAKE_CURRENT_SOURCE_DIR}/debian/prerm"
  "${CMAKE_CURRENT_SOURCE_DIR}/debian/postrm;${CMAKE_CURRENT_SOURCE_DIR}/debian/conffiles")

set(CPACK_DEBIAN_DUCKDB_PACKAGE_NAME re-dms-duckdb)
set(CPACK_DEBIAN_DUCKDB_PACKAGE_PROVIDES "re-dms-libduckdb (= ${RE_DMS_DUCKDB_VERSION})")
set(CPACK_DEBIAN_DUCKDB_PACKAGE_ENHANCES re-dms)
set(CPACK_DEBIAN_DUCKDB_DESCRIPTION "DuckDB's library for re_dms
What re_dms loads where its warehouse is a DuckDB file, of the one version that
it is built for. Other programs do not find it.")

include(CPack)
# Packages are made of groups.
cpack_add_component_group(daemon)
cpack_add_component_group(duckdb)
cpack_add_component(daemon GROUP daemon)
cpack_add_component(debian GROUP daemon)
cpack_add_component(duckdb GROUP duckdb)
cpack_add_component(debian-duckdb GROUP duckdb)
