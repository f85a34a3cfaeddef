//! The peak memory of the process and of the device.

use burn::prelude::Device;

/// Returns the peak memory of this process in bytes, if the system reports it, as Linux does.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    parse(&status)
}

/// Returns the bytes that this process holds of the memory of a device which has memory of its own, if its backend reports it. What is
/// free in it is kept for later, so this is the most that was in use at once, up to the allocator's rounding.
pub fn device_memory(device: &Device) -> Option<u64> {
    let usage = device.memory_pool_usage()?;
    (usage.bytes_reserved > 0).then_some(usage.bytes_reserved)
}

/// Parses the line `VmHWM`, the high-water mark of resident memory (proc_pid_status(5)).
fn parse(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kilobytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_linux_writes() {
        let status = "Name:\txception\nVmPeak:\t  9000 kB\nVmHWM:\t    1234 kB\n";
        assert_eq!(parse(status), Some(1234 * 1024));
        assert_eq!(parse("Name:\txception\n"), None);
        assert_eq!(parse("VmHWM:\tmuch\n"), None);
    }
}
