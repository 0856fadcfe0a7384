//! Types of file systems: which hold programs, and which a gate may hold starts on.

/// File systems whose content the kernel makes: they hold no programs.
const PSEUDO: &[&str] = &[
    "autofs",
    "bdev",
    "binder",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "cpuset",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fuse.gvfsd-fuse",
    "fuse.lxcfs",
    "fuse.portal",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nfsd",
    "nsfs",
    "pipefs",
    "proc",
    "pstore",
    "resctrl",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "smackfs",
    "sockfs",
    "sysfs",
    "tracefs",
];

/// Local file systems: opening a file there waits only for a disk of this computer.
const LOCAL: &[&str] = &[
    "aufs", "bcachefs", "btrfs", "cramfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs",
    "fuseblk", "hfs", "hfsplus", "iso9660", "jfs", "minix", "msdos", "nilfs2", "ntfs", "ntfs3",
    "overlay", "ramfs", "reiserfs", "romfs", "squashfs", "tmpfs", "ubifs", "udf", "ufs", "vfat",
    "xfs", "zfs",
];

/// Network file systems: their files are on other computers.
const NETWORK: &[&str] = &[
    "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "gfs", "gfs2", "gpfs", "lustre",
    "ncpfs", "nfs", "nfs3", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb2", "smb3", "smbfs",
    "vboxsf", "virtiofs", "vmhgfs", "wekafs",
];

pub(super) fn is_pseudo(fs_type: &str) -> bool {
    PSEUDO.contains(&fs_type)
}

/// Whether a gate may hold starts from a file system of that type.
///
/// # Errors
/// Why not: opening a file there can wait for another computer or program, and the gate with it.
pub fn markable(fs_type: &str) -> Result<(), &'static str> {
    if LOCAL.contains(&fs_type) {
        return Ok(());
    }
    if NETWORK.contains(&fs_type) {
        return Err("it lies on another computer, which may not answer: starts are not held");
    }
    if is_pseudo(fs_type) {
        return Err("the kernel makes up what lies in it");
    }
    match fs_type == "fuse" || fs_type.starts_with("fuse.") {
        true => Err("a program serves it, which may not answer: starts are not held"),
        false => Err("file systems of its type are not known: starts are not held"),
    }
}
