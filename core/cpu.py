"""How many cores this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Final

CGROUP: Final = Path("/sys/fs/cgroup")
"""Where Linux tells a container's limits."""


def cpu_count(cgroup: Path = CGROUP) -> int:
    """Return the cores that the process may run on, and no more than its container's quota pays for; 1 at least.

    Args:
        cgroup: Folder of the limits, of either version of Linux's control groups.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return affinity if quota is None else max(1, min(affinity, math.ceil(quota)))


def _quota(cgroup: Path) -> float | None:
    """Return the cores' worth of time that the container gets; None where there is no limit."""
    try:
        if (unified := cgroup / "cpu.max").exists():
            used_us, period_us = unified.read_text(encoding="ascii").split()
        else:
            used_us, period_us = (
                (cgroup / "cpu" / name).read_text(encoding="ascii").strip()
                for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            )
        quota = int(used_us) / int(period_us)
    except (OSError, ValueError, ZeroDivisionError):  # "max", or not told
        return None
    return quota if quota > 0 else None  # version 1 writes -1 for no limit
