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

# Programs that Debian does not have are built from their Go modules, once.
tools="$HOME/.cache/lamplighter-test"
build_tool() { # NAME PACKAGE@VERSION
  [ -x "$tools/$1-${2##*@}" ] && return
  say "build $1"
  (cd / && GOFLAGS= GOBIN="$tools" go install "$2")
  cp "$tools/$1" "$tools/$1-${2##*@}"
}

check_source() {
  say "gofmt, vet, staticcheck, go mod tidy"
  local bad
  bad=$(gofmt -l $(git ls-files '*.go'))
  if [ -n "$bad" ]; then echo "not formatted: $bad" >&2; return 1; fi
  go vet ./...
  "$tools/staticcheck" ./...
  go mod tidy -diff
}

install_packages
# influxd 1.8 is a real server for the v2 write and Flux that InfluxDB 2 speaks
build_tool influxd github.com/influxdata/influxdb/cmd/influxd@v1.8.10
build_tool staticcheck honnef.co/go/tools/cmd/staticcheck@v0.8.2
check_source
say "go test -race"
go test -race -timeout 20m ./...
