"""What the kernel charges to this process: switches, faults, CPU time, active threads, memory."""

import dataclasses
import os
import resource
import time


@dataclasses.dataclass(frozen=True)
class Reading:
    """The kernel's counters at one moment, since the process began."""

    usage: resource.struct_rusage
    cpu_ns: int
    thread_ns: dict[int, int]  # CPU time of each live thread


def _thread_cpu_ns(thread: int) -> int:
    """Source  linux/posix-timers_types.h, MAKE_THREAD_CPUCLOCK(tid, CPUCLOCK_SCHED)"""
    try:
        return time.clock_gettime_ns((~thread << 3) | 4 | 2)
    except OSError:  # it ended while we looked
        return 0


def read_charges() -> Reading:
    return Reading(
        usage=resource.getrusage(resource.RUSAGE_SELF),
        cpu_ns=time.process_time_ns(),
        thread_ns={int(t): _thread_cpu_ns(int(t)) for t in os.listdir("/proc/self/task")},
    )


def between(before: Reading, after: Reading) -> dict[str, int]:
    """The "charges" of a slice. A thread is active with 1 % of what the busiest one used."""
    used = [ns - before.thread_ns.get(thread, 0) for thread, ns in after.thread_ns.items()]
    most = max(used, default=0)
    return {
        "voluntary_switches": after.usage.ru_nvcsw - before.usage.ru_nvcsw,
        "involuntary_switches": after.usage.ru_nivcsw - before.usage.ru_nivcsw,
        "minor_faults": after.usage.ru_minflt - before.usage.ru_minflt,
        "major_faults": after.usage.ru_majflt - before.usage.ru_majflt,
        "cpu_ns": after.cpu_ns - before.cpu_ns,
        "threads_active": sum(ns > 0 and ns * 100 >= most for ns in used),
    }


def _status_bytes(field: str) -> int:
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}")


def read_memory(reset: bool) -> dict[str, int]:
    """Peak resident and file-backed memory in bytes; the peak starts anew when asked."""
    memory = {"peak_rss_bytes": _status_bytes("VmHWM"), "file_bytes": _status_bytes("RssFile")}
    if reset:
        with open("/proc/self/clear_refs", "w") as refs:
            refs.write("5")
    return memory
