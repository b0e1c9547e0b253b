"""What the processor's integer instructions can be trusted with."""

import pathlib

_KEEPS_32_BITS = ("avx512_vnni", "avx_vnni", "asimddp")


def multiplies_int8() -> bool:
    """Whether sums of u8 x s8 are kept in 32 bits; without VNNI x86 saturates them at 16."""
    flags = pathlib.Path("/proc/cpuinfo").read_text().split()
    return any(flag in flags for flag in _KEEPS_32_BITS)
