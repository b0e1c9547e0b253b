#!/usr/bin/env bash
# Makes a checkout ready: system packages, pinned runtimes, build. Repeatable and interruptible.
#
#   tools/setup.sh [PRESET]      release (default), dev, tsan, ci or fuzz
#
# Everything that is not Debian's lies in $ASSAY_HOME (default ~/.cache/assay), keyed by content, so
# that checkouts share it. ASSAY_NO_INSTALL=1 refuses to install system packages and lists them.
set -euo pipefail

preset=${1:-release}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# As HomeDirectory() of the program has it.
case ${XDG_CACHE_HOME:-} in /*) caches=$XDG_CACHE_HOME ;; *) caches=${HOME:-/tmp}/.cache ;; esac
home=$(realpath -m -- "${ASSAY_HOME:-$caches/assay}")
unset PYTHONHOME PYTHONPATH PYTHONSTARTUP CDPATH  # another Python's, or another folder
requirements=$root/tools/requirements.txt
alone=$root/tools/requirements_alone.txt  # without what they depend on

packages=(g++ cmake ninja-build python3-venv python3-dev libprotobuf-dev protobuf-compiler
  nlohmann-json3-dev libfmt-dev libcli11-dev libgtest-dev libgmock-dev libssl-dev libboost-dev)
[ "$preset" != fuzz ] || packages+=(clang-16 libclang-rt-16-dev llvm-16 dpkg-dev)

say() { printf 'assay: %s\n' "$*" >&2; }
fail() { # MESSAGE REMEDY LOG
  say "set-up failed: $1"
  [ -n "${3:-}" ] && [ -s "$3" ] && { tail -n 15 "$3" | sed 's/^/  | /' >&2; say "whole log: $3"; }
  say "  remedy: $2"
  say "  more: docs/troubleshooting.md"
  exit 3
}
step() { # NAME REMEDY COMMAND...: runs a step with its output in a log, says how long it took
  local name=$1 remedy=$2 log=$home/log/${1// /-}.log began=$SECONDS
  shift 2
  say "$name ..."
  set +e
  (set -e; "$@") >"$log" 2>&1 </dev/null  # the first command that fails ends it
  local status=$?
  set -e
  [ "$status" = 0 ] || fail "$name" "$remedy" "$log"
  say "$name: done in $((SECONDS - began)) s"
}

missing_packages() {
  local p
  for p in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || echo "$p"
  done
}

install_packages() {
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo -n)
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "$@"
}

install_wheels() { # ENV
  rm -rf "$1/venv"
  /usr/bin/python3 -m venv "$1/venv"
  "$1/venv/bin/pip" install --no-input -r "$requirements"
  "$1/venv/bin/pip" install --no-input --no-deps -r "$alone"
}

# Debian's packages beside those of this machine: sets `apt` to an apt-get with a package list of its
# own in WORK.
private_apt() { # WORK TYPE SUITE
  rm -rf "$1"
  mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
  local mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mirror=$(apt-get indextargets --format '$(SITE)' 'Origin: Debian' 2>/dev/null | head -n 1)
  [ -n "$mirror" ] || { echo "no Debian mirror among this machine's apt sources"; return 1; }
  echo "$2 [signed-by=$keyring] $mirror $3 main" >"$1/private.list"
  apt=(apt-get -o "Dir::State::Lists=$1/lists" -o "Dir::Etc::SourceList=$1/private.list"
    -o Dir::Etc::SourceParts=/dev/null -o "Dir::Cache=$1/cache" -o APT::Sandbox::User=root)
  "${apt[@]}" update
}

# ONNX Runtime's wheel has no headers. Debian has them from trixie on. Only the headers are unpacked.
fetch_onnxruntime_headers() { # ENV
  local work=$home/tmp/onnxruntime-headers apt
  private_apt "$work" deb trixie || return
  (cd "$work" && "${apt[@]}" download libonnxruntime-dev/trixie && dpkg -x ./*.deb root) || return
  mkdir -p "$1/include"
  rm -rf "$1/include/onnxruntime"
  mv "$work/root/usr/include/onnxruntime" "$1/include/onnxruntime"
  rm -rf "$work"
}

build_onnx() { # ENV: the graph library, from the sources that the wheel brings
  local work=$home/tmp/onnx-build
  rm -rf "$work"
  cmake -S "$root/tools/onnx" -B "$work" -G Ninja -DASSAY_ENV="$1" -DCMAKE_INSTALL_PREFIX="$1/onnx"
  cmake --build "$work"
  cmake --install "$work"
  rm -rf "$work"
}

# Protobuf and ONNX as the fuzzers want them: every branch counted, every access checked. Protobuf is
# the very version that the headers are of, from Debian's source package. It copies the nothing of an
# empty packed field to nowhere (parse_context.h, ReadPackedFixed), which harms nobody.
instrument='-O1 -g1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined'
instrument+=' -fno-sanitize=nonnull-attribute -fno-sanitize-recover=all'
build_instrumented() { # ENV FOLDER
  local work=$home/tmp/instrumented apt version
  private_apt "$work" deb-src "$(. /etc/os-release && echo "$VERSION_CODENAME")"
  version=$(dpkg-query -W -f '${source:Version}' libprotobuf-dev)
  (cd "$work" && "${apt[@]}" source --download-only "protobuf=$version" &&
    dpkg-source -x protobuf_*.dsc protobuf)
  local how=(-G Ninja -DCMAKE_BUILD_TYPE=Fuzz -DCMAKE_CXX_FLAGS_FUZZ="$instrument"
    -DCMAKE_C_COMPILER=clang-16 -DCMAKE_CXX_COMPILER=clang++-16)
  cmake -S "$work/protobuf" -B "$work/build" "${how[@]}" -DCMAKE_CXX_STANDARD=17 \
    -Dprotobuf_BUILD_TESTS=OFF -Dprotobuf_BUILD_PROTOC_BINARIES=OFF -Dprotobuf_WITH_ZLIB=OFF
  cmake --build "$work/build" --target libprotobuf
  mkdir -p "$2"
  cp "$work/build/libprotobuf.a" "$2/"
  cmake -S "$root/tools/onnx" -B "$work/onnx" "${how[@]}" -DASSAY_ENV="$1" \
    -DProtobuf_LIBRARY="$2/libprotobuf.a" -DCMAKE_INSTALL_PREFIX="$2/onnx"
  cmake --build "$work/onnx"
  cmake --install "$work/onnx"
  rm -rf "$work"
}

mkdir -p "$home/log" "$home/tmp"
exec 9>"$home/setup.lock"
flock -n 9 || { say "another set-up is running here, waiting for it"; flock 9; }

mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ]; then
  say "system packages needed: ${missing[*]}"
  [ -z "${ASSAY_NO_INSTALL:-}" ] || fail "system packages are missing and ASSAY_NO_INSTALL is set" \
    "apt-get install ${missing[*]}"
  step "system packages" "as root: apt-get install ${missing[*]}" install_packages "${missing[@]}"
fi

key=$({ grep -hv '^#' "$requirements" "$alone"; cat "$root/tools/onnx/CMakeLists.txt"; /usr/bin/python3 -V; \
  uname -m; } | sha256sum | cut -c1-12)
env=$home/env/$key
mkdir -p "$env"
[ -e "$env/venv.done" ] || {
  say "runtimes: PyTorch, ONNX Runtime, OpenVINO into $env (about 1.3 GB, once)"
  step "runtimes" "check the network or pip's configuration, then run the same command again" \
    install_wheels "$env"
  touch "$env/venv.done"
}
[ -e "$env/headers.done" ] || {
  # Not fatal: without the headers the onnxruntime engine is unavailable, the rest works.
  log=$home/log/onnxruntime-headers.log
  if fetch_onnxruntime_headers "$env" >"$log" 2>&1; then
    touch "$env/headers.done"
  else
    say "no ONNX Runtime headers (needs a Debian mirror with trixie; log: $log):"
    say "the onnxruntime engine will be unavailable"
  fi
}
[ -e "$env/onnx.done" ] || {
  step "ONNX library" "see the log; then run the same command again" build_onnx "$env"
  touch "$env/onnx.done"
}

options=(-DASSAY_ENV="$env")
target=all
if [ "$preset" = fuzz ]; then
  target=fuzzers
  libraries=$home/fuzz/$({ echo "$key $instrument"; clang-16 --version
    dpkg-query -W libprotobuf-dev; } | sha256sum | cut -c1-12)
  [ -e "$libraries/done" ] || {
    step "instrumented libraries" "check the network and the log; then run the same command again" \
      build_instrumented "$env" "$libraries"
    touch "$libraries/done"
  }
  options+=(-DASSAY_ONNX="$libraries/onnx" -DProtobuf_LIBRARY="$libraries/libprotobuf.a")
fi

build=$root/build/$preset
mkdir -p "$build"
exec 9>"$build/.lock"  # other checkouts may go on
flock 9
[ -e "$build/build.ninja" ] && [ "$(cat "$build/.env" 2>/dev/null)" = "$env${libraries:-}" ] || {
  step "configure" "see the log" cmake -S "$root" --preset "$preset" "${options[@]}"
  echo "$env${libraries:-}" >"$build/.env"
}
stamp=$build/.built.new
touch "$stamp"
say "build ($preset) ..."
began=$SECONDS
log=$build/build.log
cmake --build "$build" --target "$target" </dev/null >"$log" 2>&1 ||
  fail "build ($preset)" "see the log" "$log"
say "build ($preset): done in $((SECONDS - began)) s"
mv "$stamp" "$build/.built"
