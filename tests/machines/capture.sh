#!/usr/bin/env bash
# Captures what assay reads about a machine into a folder, for the tests of src/hardware.
#
#   tests/machines/capture.sh NAME      writes tests/machines/NAME
#
# Only the files below are copied; of /proc/cpuinfo only the first processor. Nothing in them names
# the host, but the path in proc/self/cgroup can name a user or a service: look before you commit.
set -euo pipefail

[ $# = 1 ] || { echo "usage: $0 NAME" >&2; exit 2; }
out=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$1
[ ! -e "$out" ] || { echo "$out exists; remove it first" >&2; exit 2; }

copy() { # FILE...: those that can be read and are not empty
  local file content
  for file in "$@"; do
    content=$(cat "$file" 2>/dev/null) && [ -n "$content" ] || continue
    mkdir -p "$out$(dirname "$file")"
    printf '%s\n' "$content" >"$out$file"
  done
}

cpu=/sys/devices/system/cpu
copy /etc/os-release /proc/sys/kernel/osrelease /proc/loadavg /proc/pressure/cpu /proc/self/cgroup
copy $cpu/online $cpu/intel_pstate/no_turbo $cpu/cpufreq/boost $cpu/cpufreq/policy*/scaling_governor
copy $cpu/cpu[0-9]*/topology/core_cpus_list $cpu/cpu[0-9]*/cpu_capacity
copy /sys/devices/cpu_core/cpus /sys/devices/cpu_atom/cpus
copy /sys/class/power_supply/*/{type,scope,status}

keep() { # FILE PATTERN: only the lines that match
  mkdir -p "$out$(dirname "$1")"
  grep -E "$2" "$1" >"$out$1" || rm "$out$1"
}
keep /proc/meminfo '^(MemTotal|MemAvailable|SwapTotal|SwapFree):'
keep /proc/stat '^cpu '
keep /proc/self/status '^Cpus_allowed_list:'
mkdir -p "$out/proc"
sed '/^$/q' /proc/cpuinfo | grep -E '^(model name|flags|Features|CPU implementer|CPU part)' \
  >"$out/proc/cpuinfo"

# Every group from the mount down to the one of this process; version 2 has no controller's name.
while IFS=: read -r _ controllers path; do
  for mount in ${controllers//,/ } ${controllers:-. unified}; do
    folder=/sys/fs/cgroup/$mount
    folder=${folder%/.}
    IFS=/ read -ra parts <<<"$path"
    for part in "" "${parts[@]}"; do
      folder=$folder${part:+/$part}
      copy "$folder"/cpu.{max,stat,cfs_quota_us,cfs_period_us} \
        "$folder"/memory.{max,current,limit_in_bytes,usage_in_bytes}
      [ ! -r "$folder/memory.stat" ] ||
        keep "$folder/memory.stat" '^(total_)?inactive_file '
    done
  done
done </proc/self/cgroup
echo "$out: $(find "$out" -type f | wc -l) files"
