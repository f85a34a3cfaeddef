"""Timing and memory of a process."""

import json
import pathlib
import re
import time


def measure(step, steps, warm_up, finish=None):
    """Milliseconds of the steps that count; `finish` waits for a device that computes them meanwhile."""
    times = []
    for _ in range(warm_up + steps):
        start = time.perf_counter()
        step()
        if finish:
            finish()
        times.append(1e3 * (time.perf_counter() - start))
    return times[warm_up:]


def in_turns(steps, samples, seconds):
    """Milliseconds of several steps, each sample the mean over as many as take a while; a sample of each in turns."""
    times = {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(samples):
        for name, step in steps.items():
            count, start, passed = 0, time.perf_counter(), 0.0
            while passed < seconds:
                step()
                count += 1
                passed = time.perf_counter() - start
            times[name].append(1e3 * passed / count)
    return times


def peak_memory():
    """The most resident memory so far, in bytes."""
    try:
        status = pathlib.Path("/proc/self/status").read_text()
        return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", status).group(1))
    except (OSError, AttributeError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def report(**found):
    """What was found, on one line."""
    print(json.dumps({"peak_memory": peak_memory(), **found}))
