//! A mount table: the text of `/proc/PID/mountinfo`, as proc_pid_mountinfo(5) describes it.

use super::kinds::is_pseudo;

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub path: Vec<u8>,
    /// Its type, as `ext4` or `fuse.sshfs`.
    pub fs_type: String,
    /// The device, as `254:0`: mounts of one file system have the same.
    pub device: String,
    /// Nothing can be executed from it.
    pub is_noexec: bool,
}

impl Mount {
    /// The path as it is shown to people.
    pub fn shown_path(&self) -> String {
        String::from_utf8_lossy(&self.path).into_owned()
    }

    /// Whether the kernel makes its content, so that it holds no programs.
    pub fn holds_no_programs(&self) -> bool {
        is_pseudo(&self.fs_type)
    }
}

/// The mounts of a table, in its order. Invalid lines are left out.
pub fn parse(table: &[u8]) -> Vec<Mount> {
    table
        .split(|byte| *byte == b'\n')
        .filter_map(mount)
        .collect()
}

/// `36 35 98:0 /root /path rw,noexec master:1 - ext3 /dev/root rw`: behind the options come any
/// number of optional fields, which a lone hyphen ends.
fn mount(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let device = text(fields.nth(2)?);
    let path = unescaped(fields.nth(1)?);
    let options = text(fields.next()?);
    let mut behind = fields.skip_while(|field| *field != b"-").skip(1);
    let fs_type = text(&unescaped(behind.next()?));
    Some(Mount {
        path,
        fs_type,
        device,
        is_noexec: options.split(',').any(|option| option == "noexec"),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Spaces, tabs, line ends and backslashes are written as `\` and three octal digits.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, behind)) = rest.split_first() {
        match octal(behind).filter(|_| *first == b'\\') {
            Some(byte) => {
                out.push(byte);
                rest = &behind[3..];
            }
            None => {
                out.push(*first);
                rest = behind;
            }
        }
    }
    out
}

fn octal(digits: &[u8]) -> Option<u8> {
    let digits = digits.get(..3)?;
    let all_octal = digits.iter().all(|digit| (b'0'..=b'7').contains(digit));
    let value = digits.iter().fold(0_u32, |value, digit| {
        value * 8 + u32::from(digit.wrapping_sub(b'0'))
    });
    u8::try_from(value).ok().filter(|_| all_octal)
}
