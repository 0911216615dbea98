#!/bin/bash
# Goal: the packages can be made of a build, and those of a later release beside them.
#
#   build.sh BUILD FOLDER     FOLDER/1 and FOLDER/2: the packages of release 1 and 2
set -euo pipefail
build=$1 folder=$2
cmake --build "$build" --target re_dms demo_program installed_files
rm -rf "$folder"
cd "$build"
for release in 1 2; do
  cpack -B "$folder/$release" -D CPACK_DEBIAN_PACKAGE_RELEASE=$release -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip
  ls -l "$folder/$release"
done
