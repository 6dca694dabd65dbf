#!/usr/bin/env bash
# Keeps the ABI's sources as the snapshot of a released minor: freeze.sh 1_0
# Run it when a minor is released; a snapshot is never changed afterwards.
set -euo pipefail
cd "$(dirname "$0")"
version="v${1:?the minor, as 1_0}"
rm -rf "$version"
mkdir -p "$version/abi"
cp -r ../../ext-sdk/abi/src ../../ext-sdk/abi/Cargo.toml "$version/abi/"
cp -r ../../ext-sdk/include "$version/include"
cp layout.golden "$version/layout.golden"
