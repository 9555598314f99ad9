/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What no LSM hook is told of, seen where the kernel has done or refused it, by tracepoints and by
 * fexit: children in new namespaces, user namespaces entered, mount attributes, modules removed,
 * the clock adjusted, names written, opens refused. What is seen as it begins is in
 * probe_entry.bpf.c.
 */
#include "bpf/watch.bpf.h"
#include <asm/ptrace.h>

/* ---- namespaces ---- */

#define CLONE_NEWTIME 0x00000080
#define CLONE_NEWNS 0x00020000
#define CLONE_NEWCGROUP 0x02000000
#define CLONE_NEWUTS 0x04000000
#define CLONE_NEWIPC 0x08000000
#define CLONE_NEWPID 0x20000000
#define CLONE_NEWNET 0x40000000

/* A child in new namespaces; user namespaces are userns_create's. */
SEC("tp_btf/task_newtask")
int BPF_PROG(tp_task_newtask, struct task_struct *task, u64 flags)
{
	u32 types = (flags & CLONE_NEWCGROUP ? LICTOR_NS_CGROUP : 0) |
		    (flags & CLONE_NEWIPC ? LICTOR_NS_IPC : 0) |
		    (flags & CLONE_NEWNS ? LICTOR_NS_MNT : 0) |
		    (flags & CLONE_NEWNET ? LICTOR_NS_NET : 0) |
		    (flags & CLONE_NEWPID ? LICTOR_NS_PID : 0) |
		    (flags & CLONE_NEWTIME ? LICTOR_NS_TIME : 0) |
		    (flags & CLONE_NEWUTS ? LICTOR_NS_UTS : 0);

	if (!types)
		return 0;
	LICTOR_WATCH(s, LICTOR_EVENT_NAMESPACE, task_newtask, LICTOR_VIA_TP_BTF);
	lictor_number(s, LICTOR_FIELD_NAMESPACE_TYPES, types);
	return lictor_watched(s, LICTOR_EVENT_NAMESPACE, 0);
}

/* setns(2) into a user namespace. */
SEC("fexit/userns_install")
int BPF_PROG(fe_userns_install, void *nsset, struct ns_common *ns, int error)
{
	if (error)
		return 0;
	LICTOR_WATCH(s, LICTOR_EVENT_NAMESPACE, userns_install, LICTOR_VIA_FENTRY);
	lictor_number(s, LICTOR_FIELD_NAMESPACE_TYPES, LICTOR_NS_USER);
	return lictor_watched(s, LICTOR_EVENT_NAMESPACE, 0);
}

/* ---- mounts ---- */

#define OPEN_TREE_CLONE 1
#define AT_RECURSIVE 0x8000

/* The copy has no place: what it shows is known by the host's name for it. */
SEC("fexit/vfs_open_tree")
int BPF_PROG(fe_vfs_open_tree, int directory, const char *name, unsigned int flags,
	     struct file *opened)
{
	u64 address = (u64)opened;

	if (!(flags & OPEN_TREE_CLONE) || !address || address >= (u64)-4095)
		return 0;
	LICTOR_WATCH(s, LICTOR_EVENT_MOUNT, vfs_open_tree, LICTOR_VIA_FENTRY);
	return lictor_cloned(s, NULL, opened->f_path.dentry, flags & AT_RECURSIVE);
}

/*
 * mount_setattr(2), open_tree_attr(2). No function below the system call survives compilation with
 * its arguments, so the path is what the caller wrote: a name from the root, or not known.
 */
static __always_inline int lictor_mount_attributes(struct pt_regs *regs, u32 hook, bool compat)
{
	struct lictor_scratch *s = NULL;
	u64 name = 0;
	u32 where = LICTOR_REGION_SHORT * LICTOR_PATH_MAX, length;
	long got;

	if (lictor_begin(LICTOR_EVENT_MOUNT, LICTOR_EVENTS, hook, LICTOR_VIA_FENTRY, &s) !=
		    LICTOR_DECIDE || !s)
		return 0;
#if defined(__TARGET_ARCH_x86)
	if (compat)
		bpf_probe_read_kernel(&name, 4, &regs->rcx);
	else
#endif
		bpf_probe_read_kernel(&name, sizeof(name), &PT_REGS_PARM2(regs));
	lictor_number(s, LICTOR_FIELD_MOUNT_OPERATION, LICTOR_MOUNT_ATTRIBUTES);
	got = bpf_probe_read_user_str(&s->text[where], LICTOR_PATH_MAX, (const void *)name);
	if (got > 1 && s->text[where] == '/') {
		length = LICTOR_MASK((u32)got - 1, LICTOR_PATH_MAX - 1);
		lictor_record_text(s, LICTOR_FIELD_FILE_PATH, 0, &s->text[where], length);
		lictor_classify_text(s, s->generation, LICTOR_SPACE_OBJECT, where | length << 16,
				     LICTOR_STRING_PATH);
	} else {
		lictor_argument_unreadable(s, LICTOR_STRING_PATH,
					   LICTOR_REASON_ARGUMENT_UNREADABLE);
	}
	return lictor_watched(s, LICTOR_EVENT_MOUNT, 0);
}

SEC("fexit/__x64_sys_mount_setattr")
int BPF_PROG(fe_mount_setattr, struct pt_regs *regs, long error)
{
	return error ? 0 : lictor_mount_attributes(regs, LICTOR_HOOK_mount_setattr, false);
}

SEC("fexit/__ia32_sys_mount_setattr")
int BPF_PROG(fe_mount_setattr_compat, struct pt_regs *regs, long error)
{
	return error ? 0 : lictor_mount_attributes(regs, LICTOR_HOOK_mount_setattr_compat, true);
}

/* Without attributes it is open_tree(2). */
SEC("fexit/__x64_sys_open_tree_attr")
int BPF_PROG(fe_open_tree_attr, struct pt_regs *regs, long descriptor)
{
	u64 attributes = 0;

	bpf_probe_read_kernel(&attributes, sizeof(attributes), &PT_REGS_PARM4_SYSCALL(regs));
	if (descriptor < 0 || !attributes)
		return 0;
	return lictor_mount_attributes(regs, LICTOR_HOOK_open_tree_attr, false);
}

SEC("fexit/__ia32_sys_open_tree_attr")
int BPF_PROG(fe_open_tree_attr_compat, struct pt_regs *regs, long descriptor)
{
	u32 attributes = 0;

#if defined(__TARGET_ARCH_x86)
	bpf_probe_read_kernel(&attributes, sizeof(attributes), &regs->rsi);
#endif
	if (descriptor < 0 || !attributes)
		return 0;
	return lictor_mount_attributes(regs, LICTOR_HOOK_open_tree_attr_compat, true);
}

/* ---- the kernel ---- */

SEC("tp_btf/module_free")
int BPF_PROG(tp_module_free, struct module *module)
{
	LICTOR_WATCH(s, LICTOR_EVENT_MODULE, module_free, LICTOR_VIA_TP_BTF);
	lictor_number(s, LICTOR_FIELD_MODULE_OPERATION, 1);
	lictor_argument(s, LICTOR_FIELD_MODULE_NAME, LICTOR_STRING_ARGUMENT, &module->name);
	return lictor_watched(s, LICTOR_EVENT_MODULE, 0);
}

#define ADJ_OFFSET_SS_READ 0xa001

SEC("fexit/do_adjtimex")
int BPF_PROG(fe_do_adjtimex, struct __kernel_timex *timex, int error)
{
	u32 modes = 0;

	bpf_probe_read_kernel(&modes, sizeof(modes), &timex->modes);
	if (error < 0 || !modes || modes == ADJ_OFFSET_SS_READ)
		return 0;
	LICTOR_WATCH(s, LICTOR_EVENT_SETTIME, do_adjtimex, LICTOR_VIA_FENTRY);
	lictor_number(s, LICTOR_FIELD_CLOCK_OPERATION, 1);
	return lictor_watched(s, LICTOR_EVENT_SETTIME, 0);
}

struct ctl_table {
	const char *procname;
} __attribute__((preserve_access_index));

/* The same by a write to /proc/sys/kernel. */
SEC("fexit/proc_do_uts_string")
int BPF_PROG(fe_proc_do_uts_string, struct ctl_table *table, int write, void *buffer, void *length,
	     void *position, int error)
{
	struct uts_namespace *uts = bpf_get_current_task_btf()->nsproxy->uts_ns;
	char name[8] = {};

	if (!write || error)
		return 0;
	bpf_probe_read_kernel_str(name, sizeof(name), table->procname);
	LICTOR_WATCH(s, LICTOR_EVENT_HOSTNAME, proc_do_uts_string, LICTOR_VIA_FENTRY);
	if (name[0] == 'h')
		lictor_argument(s, LICTOR_FIELD_HOST_HOSTNAME, LICTOR_STRING_ARGUMENT,
				&uts->name.nodename);
	else
		lictor_argument(s, LICTOR_FIELD_HOST_DOMAIN, LICTOR_STRING_ARGUMENT2,
				&uts->name.domainname);
	return lictor_watched(s, LICTOR_EVENT_HOSTNAME, 0);
}

/* ---- refused by permissions ---- */

static __always_inline int lictor_refused(struct lictor_scratch *s, const struct path *path,
					  s32 error)
{
	struct dentry *dentry = path->dentry;

	lictor_gather_inode(s, lictor_dentry_inode(dentry), dentry);
	lictor_gather_path(s, path->mnt, dentry, 0, LICTOR_FIELD_FILE_PATH);
	return lictor_watched(s, LICTOR_EVENT_OPEN_FAILED, error);
}

SEC("fexit/may_open")
int BPF_PROG(fe_may_open, void *idmap, const struct path *path, int mode, int flag, int error)
{
	if (error != -EACCES && error != -EPERM)
		return 0;
	LICTOR_WATCH(s, LICTOR_EVENT_OPEN_FAILED, may_open, LICTOR_VIA_FENTRY);
	return lictor_refused(s, path, -error);
}

#define S_APPEND (1u << 2)
#define S_IMMUTABLE (1u << 3)

/* EPERM may be a program's of ours; the inode tells whether it is the file's own. */
SEC("fexit/vfs_truncate")
int BPF_PROG(fe_vfs_truncate, const struct path *path, u64 length, int error)
{
	struct inode *inode = lictor_dentry_inode(path->dentry);

	if (error != -EACCES && error != -EPERM)
		return 0;
	if (error == -EPERM && (!inode || !(inode->i_flags & (S_APPEND | S_IMMUTABLE))))
		return 0;
	LICTOR_WATCH(s, LICTOR_EVENT_OPEN_FAILED, vfs_truncate, LICTOR_VIA_FENTRY);
	return lictor_refused(s, path, -(s32)error);
}
