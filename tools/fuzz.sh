#!/usr/bin/env bash
# Runs the fuzzers of build/fuzz, one after the other, from the corpus and from what earlier runs
# found. Status 1 when one of them found something; the file that shows it is named.
#
#   tools/fuzz.sh SECONDS [NAME...]     SECONDS for each; NAME as in tests/fuzz/fuzz_NAME.cc
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
home=${ASSAY_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/assay}
build=$root/build/fuzz
seconds=$1
shift
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "fuzz: '$seconds' is no number of seconds" >&2; exit 2; }
names=("$@")
[ $# -gt 0 ] || for fuzzer in "$build"/fuzz_*; do
  [ ! -x "$fuzzer" ] || names+=("${fuzzer##*/fuzz_}")
done

export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-16
export ASAN_OPTIONS=allocator_may_return_null=0:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
status=0
for name in "${names[@]}"; do
  grown=$home/fuzz/corpus/$name
  findings=$build/findings/$name
  mkdir -p "$grown" "$findings"
  log=$build/fuzz_$name.log
  echo "fuzz: $name for $seconds s ..." >&2
  # A reader may map a file and hold a few copies; one file must not cost more than that.
  if "$build/fuzz_$name" -max_total_time="$seconds" -timeout=20 -max_len=65536 \
    -rss_limit_mb=2048 -malloc_limit_mb=512 -print_final_stats=1 -artifact_prefix="$findings/" \
    "$grown" "$build/tests/fuzz/corpus/$name" >"$log" 2>&1 </dev/null; then
    runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
    echo "fuzz: $name: $runs runs, nothing found" >&2
  else
    status=1
    echo "fuzz: $name: found something" >&2
    grep -m 1 -E 'ERROR: |runtime error: |broken: ' "$log" | sed 's/^/  | /' >&2 || true
    grep -oE "$findings/\S+" "$log" | sed 's/^/  file: /' >&2 || true
    echo "  log:  $log" >&2
  fi
done
exit $status
