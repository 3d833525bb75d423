"""CPU time of a process and everything below it, as the kernel counts it."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of the process, its living children, and those it has waited for."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    # After the name, which may hold blanks: field 14 and on are utime, stime, cutime, cstime.
    fields = stat.rpartition(")")[2].split()
    own = sum(int(field) for field in fields[11:15]) / _TICKS
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return own + sum(cpu_seconds(int(child)) for child in children)
