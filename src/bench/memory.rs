//! The peak memory of the process.

/// Returns the peak memory of this process in bytes, if the system reports it, as Linux does.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    parse(&status)
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
