"""What other programs do on this machine meanwhile."""

import os
import resource
import time

# Cores that others may take of an idle machine, and the seconds over which that is found.
IDLE, SECONDS = 0.2, 1.0


class Usage:
    """The processor time that all programs, and that this one and its children, have taken so far."""

    def __init__(self):
        self.when, self.all, self.own = time.monotonic(), busy_seconds(), own_seconds()

    def cores_of_others(self):
        """The cores that others have taken since then, on average."""
        now = Usage()
        passed = now.when - self.when
        return max(0.0, (now.all - self.all) - (now.own - self.own)) / passed


def own_seconds():
    usages = [resource.getrusage(who) for who in [resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN]]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def busy_seconds():
    """Of all cores, without waiting; nothing where the system doesn't tell."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, softirq, *_ = map(int, file.readline().split()[1:])
    except OSError:
        return 0.0
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def wait_until_idle(patience):
    """Returns once others take next to nothing, or after so many seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        before = Usage()
        time.sleep(SECONDS)
        if before.cores_of_others() < IDLE:
            return
