#!/usr/bin/env bash
# Installs what the tests need and runs all of them; nothing is skipped.
#   deploy/test.sh          everything that belongs to every change (under 30 minutes on 2 cores)
set -euo pipefail
cd "$(dirname "$0")/.."
export LAMPLIGHTER_TEST_ALL=1

say() { printf '\n== %s\n' "$*"; }

install_packages() {
  local missing=()
  command -v mosquitto >/dev/null || missing+=(mosquitto)
  command -v mosquitto_pub >/dev/null || missing+=(mosquitto-clients)
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
  [ ${#missing[@]} -eq 0 ] && return
  say "install ${missing[*]}"
  local as=()
  [ "$(id -u)" -eq 0 ] || as=(sudo)
  "${as[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${as[@]}" apt-get install -y -qq "${missing[@]}" >/dev/null
}

# influxd 1.8 is a real server for the v2 write and Flux that InfluxDB 2 speaks;
# Debian has none.
build_influxd() {
  local dir="$HOME/.cache/lamplighter-test"
  [ -x "$dir/influxd" ] && return
  say "build influxd"
  (cd / && GOFLAGS= GOBIN="$dir" go install github.com/influxdata/influxdb/cmd/influxd@v1.8.10)
}

check_format() {
  say "gofmt and vet"
  local bad
  bad=$(gofmt -l $(git ls-files '*.go'))
  if [ -n "$bad" ]; then echo "not formatted: $bad" >&2; return 1; fi
  go vet ./...
}

install_packages
build_influxd
check_format
say "go test -race"
go test -race -timeout 20m ./...
