// SPDX-License-Identifier: MIT OR GPL-2.0
//
// What the kernel does for the agent at each fork, exec and exit. `cargo xtask bpf` builds it.
//
// A start of a program that the agent knows to be nobody's is counted here, and for how long it runs,
// and that is all: the agent sleeps on. Any other start is told of, and its process is followed from that moment until
// it ends or the agent has decided that it is of no interest: so what it does in between, however
// fast, is in the ring behind it.

#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

// The parts of the kernel's own structures that are used, by name: offsets are the running kernel's.
#define KERNEL __attribute__((preserve_access_index))

struct qstr { __u64 hash_len; } KERNEL;
struct dentry { struct dentry *d_parent; struct qstr d_name; } KERNEL;
struct vfsmount { struct dentry *mnt_root; } KERNEL;
struct mount { struct mount *mnt_parent; struct dentry *mnt_mountpoint; struct vfsmount mnt; } KERNEL;
struct path { struct vfsmount *mnt; struct dentry *dentry; } KERNEL;
struct super_block { __u32 s_dev; } KERNEL;
struct timespec64 { __s64 tv_sec; long tv_nsec; } KERNEL;
// Times are called otherwise from one kernel to the next: 6.11, 6.6, and before.
struct inode {
	struct super_block *i_sb;
	unsigned long i_ino;
	__s64 i_size;
	__s64 i_mtime_sec, i_ctime_sec;
	__u32 i_mtime_nsec, i_ctime_nsec;
} KERNEL;
struct inode___66 { struct timespec64 __i_mtime; } KERNEL;
struct inode___65 { struct timespec64 i_mtime; } KERNEL;
struct inode___ctime66 { struct timespec64 __i_ctime; } KERNEL;
struct inode___ctime65 { struct timespec64 i_ctime; } KERNEL;
struct file { struct path f_path; struct inode *f_inode; } KERNEL;
struct linux_binprm { struct file *file; const char *filename; } KERNEL;
typedef struct { __u32 val; } kuid_t;
struct cred { kuid_t uid; } KERNEL;
typedef struct { int counter; } atomic_t;
struct signal_struct { atomic_t live; } KERNEL;
struct task_struct {
	int pid, tgid;
	struct task_struct *real_parent, *group_leader;
	__u64 start_boottime;
	const struct cred *cred;
	struct signal_struct *signal;
} KERNEL;
struct task_struct___audit { kuid_t loginuid; } KERNEL;

// What goes to the agent. watch/record.rs reads it and holds the same numbers.
#define NAME_BYTES 256
enum { FORK = 1, EXEC = 2, EXIT = 3 };

struct process {
	__u32 what, pid;
	__u64 at_ns, start_ns;
	__u32 parent, uid, login_uid, name_bytes;
};

// A file under a name: with the same of all of these it is what it was when the agent looked.
struct known_as {
	__u64 path; // of all names up to the root; 0: not known
	__u64 inode;
	__s64 size, modified_ns, changed_ns;
	__u64 device;
};

struct exec {
	struct process process;
	struct known_as file;
	char name[NAME_BYTES];
};

struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1 << 20); } records SEC(".maps");
// Files of programs that are nobody's: how often they were started, and how long those runs took
// together that ended within a second. watch/nobodys.rs holds the same two numbers.
struct counted { __u64 starts, short_ns; };
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, struct known_as);
	__type(value, struct counted);
} nobodys SEC(".maps");
// Processes that run such a program, and since when, not counting the time asleep. Where there is no
// room the oldest go, and their time is not known.
struct run { struct known_as file; __u64 since_ns; };
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct run);
} runs SEC(".maps");
// Runs of more than a second that have ended. They are read when they are reported: nobody is woken.
// What finds no room is not known.
struct ended { struct known_as file; __u64 since_ns, ended_ns; };
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 1 << 18); } ended SEC(".maps");
// Processes that are followed, and when they became what they are: see `forget` in watch/probe.rs.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u64);
} followed SEC(".maps");
// Records that found no room.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

static void count_lost(void)
{
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&lost, &zero);

	if (count)
		__sync_fetch_and_add(count, 1);
}

static void describe(struct process *to, __u32 what, struct task_struct *task, __u64 now)
{
	struct task_struct___audit *audited = (void *)task;

	to->what = what;
	to->pid = task->tgid;
	to->at_ns = now;
	to->start_ns = task->group_leader->start_boottime;
	to->parent = task->real_parent->tgid;
	to->uid = task->cred->uid.val;
	to->login_uid = bpf_core_field_exists(audited->loginuid) ? audited->loginuid.val : ~0U;
	to->name_bytes = 0;
}

// A number for the path of a file, the same as long as neither it nor a folder above is renamed
// or moved, whichever mounts lie in between. 0: it is too deep.
static __u64 path_of(struct file *file)
{
	struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);
	struct vfsmount *inner = BPF_CORE_READ(file, f_path.mnt);
	struct mount *mount = (void *)inner - bpf_core_field_offset(struct mount, mnt);
	struct dentry *root = BPF_CORE_READ(inner, mnt_root);
	__u64 hash = 0xcbf29ce484222325;

	for (int step = 0; step < 40; step++) {
		struct dentry *parent;

		if (dentry == root) {
			struct mount *outer = BPF_CORE_READ(mount, mnt_parent);

			if (outer == mount)
				return hash | 1;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = outer;
			root = BPF_CORE_READ(mount, mnt.mnt_root);
			continue;
		}
		hash = (hash ^ BPF_CORE_READ(dentry, d_name.hash_len)) * 0x100000001b3;
		hash ^= hash >> 32;
		parent = BPF_CORE_READ(dentry, d_parent);
		// Of a file system that is mounted nowhere, as memory is.
		if (parent == dentry)
			return hash | 1;
		dentry = parent;
	}
	return 0;
}

#define SECOND 1000000000LL
// The highest bit of a time's nanoseconds is the kernel's own.
#define NANOSECONDS(field) ((field) & 0x7fffffff)

static __s64 modified_ns(struct inode *inode)
{
	struct inode___66 *of_66 = (void *)inode;
	struct inode___65 *of_65 = (void *)inode;

	if (bpf_core_field_exists(inode->i_mtime_sec))
		return inode->i_mtime_sec * SECOND + NANOSECONDS(inode->i_mtime_nsec);
	if (bpf_core_field_exists(of_66->__i_mtime))
		return of_66->__i_mtime.tv_sec * SECOND + of_66->__i_mtime.tv_nsec;
	return of_65->i_mtime.tv_sec * SECOND + of_65->i_mtime.tv_nsec;
}

static __s64 changed_ns(struct inode *inode)
{
	struct inode___ctime66 *of_66 = (void *)inode;
	struct inode___ctime65 *of_65 = (void *)inode;

	if (bpf_core_field_exists(inode->i_ctime_sec))
		return inode->i_ctime_sec * SECOND + NANOSECONDS(inode->i_ctime_nsec);
	if (bpf_core_field_exists(of_66->__i_ctime))
		return of_66->__i_ctime.tv_sec * SECOND + NANOSECONDS(of_66->__i_ctime.tv_nsec);
	return of_65->i_ctime.tv_sec * SECOND + of_65->i_ctime.tv_nsec;
}

// What a process ran, it runs no more.
static void end_run(__u32 pid)
{
	struct run *run = bpf_map_lookup_elem(&runs, &pid);
	struct counted *counted;
	struct ended *told;
	__u64 now;

	if (!run)
		return;
	now = bpf_ktime_get_ns();
	if (now - run->since_ns < SECOND) {
		counted = bpf_map_lookup_elem(&nobodys, &run->file);
		if (counted)
			__sync_fetch_and_add(&counted->short_ns, now - run->since_ns);
	} else {
		told = bpf_ringbuf_reserve(&ended, sizeof(*told), 0);
		if (told) {
			told->file = run->file;
			told->since_ns = run->since_ns;
			told->ended_ns = now;
			bpf_ringbuf_submit(told, BPF_RB_NO_WAKEUP);
		}
	}
	bpf_map_delete_elem(&runs, &pid);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *binary)
{
	__u32 pid = task->tgid;
	struct file *file = binary->file;
	struct inode *inode = file->f_inode;
	struct known_as known = {
		.path = path_of(file),
		.inode = inode->i_ino,
		.size = inode->i_size,
		.modified_ns = modified_ns(inode),
		.changed_ns = changed_ns(inode),
		.device = inode->i_sb->s_dev,
	};
	struct counted *counted;
	struct exec *exec;
	__u64 now;
	long length;

	end_run(pid);
	if (!bpf_map_lookup_elem(&followed, &pid)) {
		counted = bpf_map_lookup_elem(&nobodys, &known);
		if (counted) {
			struct run run = { .file = known, .since_ns = bpf_ktime_get_ns() };

			__sync_fetch_and_add(&counted->starts, 1);
			bpf_map_update_elem(&runs, &pid, &run, BPF_ANY);
			return 0;
		}
	}
	now = bpf_ktime_get_boot_ns();
	// Where there is no room it is not followed.
	bpf_map_update_elem(&followed, &pid, &now, BPF_ANY);
	exec = bpf_ringbuf_reserve(&records, sizeof(*exec), 0);
	if (!exec) {
		count_lost();
		return 0;
	}
	describe(&exec->process, EXEC, task, now);
	exec->file = known;
	length = bpf_probe_read_kernel_str(exec->name, NAME_BYTES, binary->filename);
	exec->process.name_bytes = length > 0 ? length - 1 : 0;
	bpf_ringbuf_submit(exec, 0);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 pid = child->tgid, by = parent->tgid;
	struct process *fork;
	__u64 now;

	if (child->pid != child->tgid || !bpf_map_lookup_elem(&followed, &by))
		return 0;
	now = bpf_ktime_get_boot_ns();
	bpf_map_update_elem(&followed, &pid, &now, BPF_ANY);
	fork = bpf_ringbuf_reserve(&records, sizeof(*fork), 0);
	if (!fork) {
		count_lost();
		return 0;
	}
	describe(fork, FORK, child, now);
	fork->parent = by;
	bpf_ringbuf_submit(fork, 0);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	__u32 pid = task->tgid;
	struct process *exit;

	// With its last thread, whichever that is; two that end at once are told of once.
	if (task->signal->live.counter)
		return 0;
	end_run(pid);
	if (bpf_map_delete_elem(&followed, &pid))
		return 0;
	exit = bpf_ringbuf_reserve(&records, sizeof(*exit), 0);
	if (!exit) {
		count_lost();
		return 0;
	}
	describe(exit, EXIT, task, bpf_ktime_get_boot_ns());
	bpf_ringbuf_submit(exit, 0);
	return 0;
}
