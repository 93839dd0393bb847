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
  [ -x /usr/bin/chromium ] || missing+=(chromium)
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

# The board: types, logic, a build that gives what is committed, and a browser
# before the real daemon (about 4 minutes).
check_board() {
  say "board: npm ci, types, logic, build"
  command -v npm >/dev/null || { echo "npm is missing: the tests of the board need Node.js 20.19 or newer" >&2; return 1; }
  local bin
  bin=$(mktemp -d)
  go build -o "$bin/lamplighter" ./ingest
  (
    cd dashboards/ui
    npm ci --no-progress
    npm run -s check
    npm run -s test
    npm run -s build
    if [ -n "$(git status --porcelain -- dist)" ]; then
      git status --short -- dist >&2
      echo "dashboards/ui/dist is not what its source gives: run \`npm run build\` there and commit it" >&2
      return 1
    fi
    say "board: Chromium before the daemon"
    LAMPLIGHTER_BIN="$bin/lamplighter" npm run -s e2e
  )
  rm -r "$bin"
}

# The race detector has a process sleep for a second before it ends, for
# goroutines that nobody waits for; the tests start and end hundreds of processes.
export GORACE=atexit_sleep_ms=50

# Packages begin in this order, two at a time: the longest first. -parallel is for
# the tests of ingest, which mostly wait.
check_raced() {
  say "go test -race"
  go test -race -timeout 20m -parallel 4 ./ingest ./dashboards ./rules ./simulators/fleet ./devices/registry ./...
}

# The tests of files that ask devicestest for less under the race detector, again.
check_full_size() {
  say "go test, at full size what was smaller under the race detector"
  local files names
  files=$(git grep -lE 'devicestest\.(Sized|FewerChecks)\(' -- '*_test.go')
  names=$(sed -nE 's/^func (Test[^(]+)\(.*/\1/p' $files | paste -sd '|')
  go test -timeout 20m -run "^($names)\$" $(dirname $files | sort -u | sed 's|^|./|')
}

install_packages
# influxd 1.8 is a real server for the v2 write and Flux that InfluxDB 2 speaks
build_tool influxd github.com/influxdata/influxdb/cmd/influxd@v1.8.10
build_tool staticcheck honnef.co/go/tools/cmd/staticcheck@v0.8.2
check_source
check_board
check_raced
check_full_size
