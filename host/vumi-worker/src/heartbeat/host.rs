//! The name of this machine.

use std::fs;

/// The host name, as the kernel has it; `localhost` where it cannot be read.
pub(super) fn name() -> String {
    let kernel =
        ["/proc/sys/kernel/hostname", "/etc/hostname"].into_iter().filter_map(|path| fs::read_to_string(path).ok());
    let mut names = kernel.map(|name| name.trim().to_owned());
    let found = names.find(|name| !name.is_empty());
    found.unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn there_is_a_name() {
        let name = super::name();
        assert!(!name.is_empty() && !name.contains(char::is_whitespace), "{name:?}");
    }
}
