#!/bin/sh
# Makes a Debian 12 into one that runs the daemon: the packages in a folder, and nothing to build with.
#
#   install_runtime.sh FOLDER
set -eu

packages=$1
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends ca-certificates \
  "$packages"/re-dms_*.deb "$packages"/re-dms-duckdb_*.deb
# The journal belongs on a volume, which takes over whom this folder belongs to.
install -d -o re_dms -g re_dms -m 0750 /var/lib/re_dms /run/re_dms
install -m 0755 "$(dirname "$0")/healthcheck.sh" /usr/libexec/re_dms/healthcheck
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /var/log/apt /var/log/dpkg.log
