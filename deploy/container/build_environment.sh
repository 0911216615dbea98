#!/bin/sh
# Makes a Debian 12 into what `make` runs in: its packages, and DuckDB outside the checkout, which a
# container most often mounts over /src.
set -eu

apt-get update -q
DUCKDB_ROOT='' tools/setup package
if [ "${DUCKDB_ROOT:-}" ] && [ ! -e "$DUCKDB_ROOT" ]; then
  mkdir -p "$(dirname "$DUCKDB_ROOT")"
  mv .deps/duckdb "$DUCKDB_ROOT"
  rm -rf .deps
fi
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
