/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mounts and everything that moves them. The object of the event is the mount point; both ends of
 * a move, and both roots of pivot_root(2), are judged.
 */
#include "bpf/target.bpf.h"
#include "lsm/verdict.bpf.h"

#define MNT_FORCE 1
#define MNT_DETACH 2
#define MNT_EXPIRE 4

static __always_inline u32 lictor_mount_flags(u64 flags)
{
	return (flags & MS_RDONLY ? 1u << 0 : 0) | (flags & MS_NOSUID ? 1u << 1 : 0) |
	       (flags & MS_NODEV ? 1u << 2 : 0) | (flags & MS_NOEXEC ? 1u << 3 : 0) |
	       (flags & MS_BIND ? 1u << 4 : 0) | (flags & MS_REC ? 1u << 5 : 0) |
	       (flags & MS_REMOUNT ? 1u << 6 : 0) | (flags & MS_MOVE ? 1u << 7 : 0) |
	       (flags & MS_SHARED ? 1u << 8 : 0) | (flags & MS_PRIVATE ? 1u << 9 : 0) |
	       (flags & MS_SLAVE ? 1u << 10 : 0) | (flags & MS_UNBINDABLE ? 1u << 11 : 0);
}

/* In the order in which the kernel looks at the flags. */
static __always_inline u32 lictor_mount_operation(u64 flags)
{
	if (flags & MS_REMOUNT)
		return LICTOR_MOUNT_REMOUNT;
	if (flags & MS_BIND)
		return LICTOR_MOUNT_BIND;
	if (flags & MS_PROPAGATION)
		return LICTOR_MOUNT_PROPAGATION;
	return flags & MS_MOVE ? LICTOR_MOUNT_MOVE : LICTOR_MOUNT_NEW;
}

static __always_inline void lictor_mount_point(struct lictor_scratch *s, const struct path *path)
{
	struct dentry *dentry = KREAD(path, dentry);

	lictor_gather_inode(s, lictor_dentry_inode(dentry), dentry);
	lictor_gather_path(s, KREAD(path, mnt), dentry, 0, LICTOR_FIELD_FILE_PATH);
}

/*
 * What mount(2) moves is looked up when it is too late to ask: the caller's name for it, from the
 * root, is what can be judged.
 */
static __always_inline void lictor_moved(struct lictor_scratch *s, const char *source)
{
	u32 where = LICTOR_REGION_SHORT * LICTOR_PATH_MAX;
	long got = bpf_probe_read_kernel_str(&s->text[where], LICTOR_PATH_MAX, source);

	if (got < 2 || s->text[where] != '/')
		return;
	lictor_classify_text(s, s->generation, LICTOR_SPACE_OBJECT,
			     where | LICTOR_MASK((u32)got - 1, LICTOR_PATH_MAX - 1) << 16,
			     LICTOR_STRING_TARGET);
	lictor_decide(s, LICTOR_EVENT_MOUNT, 1);
}

static __always_inline void lictor_note_syscall(u64 what)
{
	struct lictor_subject *subject =
		bpf_task_storage_get(&subjects, bpf_get_current_task_btf(), 0, 0);

	if (!subject)
		return;
	subject->mount_ns = bpf_ktime_get_ns();
	subject->mount_point = what;
}

SEC(LICTOR_SECTION "sb_mount")
int LICTOR_PROG(lsm_sb_mount, const char *source, const struct path *path, const char *type,
		unsigned long flags)
{
	LICTOR_OPEN(s, LICTOR_EVENT_MOUNT, LICTOR_EVENTS, sb_mount);
	lictor_number(s, LICTOR_FIELD_MOUNT_OPERATION, lictor_mount_operation(flags));
	lictor_number(s, LICTOR_FIELD_MOUNT_FLAGS, lictor_mount_flags(flags));
	lictor_mount_point(s, path);
	lictor_argument(s, LICTOR_FIELD_MOUNT_SOURCE, LICTOR_STRING_ARGUMENT, source);
	/* For all else the kernel does not look at what the caller says. */
	if (lictor_mount_operation(flags) == LICTOR_MOUNT_NEW)
		lictor_argument(s, LICTOR_FIELD_MOUNT_TYPE, LICTOR_STRING_ARGUMENT2, type);
	lictor_decide(s, LICTOR_EVENT_MOUNT, 0);
	if (lictor_mount_operation(flags) == LICTOR_MOUNT_MOVE) {
		lictor_judge_several(s, true);
		lictor_moved(s, source);
	}
	/* Refused, or of the mount alone (MS_BIND), it does not come to sb_remount. */
	if (flags & MS_REMOUNT && !(flags & MS_BIND) && !lictor_denies(s))
		lictor_note_syscall((u64)KREAD(path, dentry, d_sb, s_root));
	return lictor_deny(s);
}

/*
 * Only a descriptor leads to it: a new mount of fsmount(2), or a copy of open_tree(2). Such a mount
 * is in a namespace of its own, which has no number (its name has changed), or a mark.
 */
static __always_inline bool lictor_has_no_place(const struct path *path)
{
	u64 mount = (u64)KREAD(path, mnt) - bpf_core_field_offset(struct mount, mnt), ns = 0, number = 0;
	bool marked = false;

	LICTOR_PEEK(ns, mount, struct mount, mnt_ns);
	if (!ns)
		return false;
	if (bpf_core_field_exists(struct mnt_namespace___marked, is_anon)) {
		LICTOR_PEEK(marked, ns, struct mnt_namespace___marked, is_anon);
		return marked;
	}
	if (bpf_core_field_exists(struct mnt_namespace, seq))
		LICTOR_PEEK(number, ns, struct mnt_namespace, seq);
	else
		LICTOR_PEEK(number, ns, struct mnt_namespace___numbered, ns.ns_id);
	return !number;
}

/*
 * move_mount(2): a mount that has a place is moved; one that has none gets one, which is a mount
 * or a bind as far as rules go (which of them, cannot be told).
 */
SEC(LICTOR_SECTION "move_mount")
int LICTOR_PROG(lsm_move_mount, const struct path *from, const struct path *to)
{
	struct dentry *dentry = KREAD(from, dentry);

	LICTOR_OPEN(s, LICTOR_EVENT_MOUNT, LICTOR_EVENTS, move_mount);
	lictor_judge_several(s, true);
	lictor_number(s, LICTOR_FIELD_MOUNT_OPERATION, LICTOR_MOUNT_MOVE);
	lictor_number(s, LICTOR_FIELD_MOUNT_FLAGS, 0);
	lictor_argument(s, LICTOR_FIELD_MOUNT_TYPE, LICTOR_STRING_ARGUMENT2,
			KREAD(dentry, d_sb, s_type, name));
	lictor_mount_point(s, to);
	if (lictor_has_no_place(from)) {
		lictor_number(s, LICTOR_FIELD_MOUNT_OPERATION, LICTOR_MOUNT_BIND);
		lictor_decide(s, LICTOR_EVENT_MOUNT, 0);
		if (!s->outcome.rules)
			lictor_number(s, LICTOR_FIELD_MOUNT_OPERATION, LICTOR_MOUNT_NEW);
		lictor_decide(s, LICTOR_EVENT_MOUNT, 0);
		return lictor_deny(s);
	}
	lictor_decide(s, LICTOR_EVENT_MOUNT, 0);
	lictor_gather_path(s, KREAD(from, mnt), dentry, 1, LICTOR_FIELD_MOUNT_SOURCE);
	lictor_decide(s, LICTOR_EVENT_MOUNT, 1);
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "sb_pivotroot")
int LICTOR_PROG(lsm_sb_pivotroot, const struct path *old, const struct path *new)
{
	LICTOR_OPEN(s, LICTOR_EVENT_MOUNT, LICTOR_EVENTS, sb_pivotroot);
	lictor_judge_several(s, true);
	lictor_number(s, LICTOR_FIELD_MOUNT_OPERATION, LICTOR_MOUNT_PIVOT);
	lictor_number(s, LICTOR_FIELD_MOUNT_FLAGS, 0);
	lictor_mount_point(s, old);
	lictor_gather_path(s, KREAD(new, mnt), KREAD(new, dentry), 1, LICTOR_FIELD_MOUNT_SOURCE);
	lictor_decide(s, LICTOR_EVENT_MOUNT, 0);
	lictor_decide(s, LICTOR_EVENT_MOUNT, 1);
	return lictor_deny(s);
}

/*
 * fsconfig(FSCONFIG_CMD_RECONFIGURE). A mount(2) that remounts comes here too, and has been judged
 * by sb_mount a moment before. There is no mount point: the file system's root is the object.
 */
SEC(LICTOR_SECTION "sb_remount")
int LICTOR_PROG(lsm_sb_remount, struct super_block *sb)
{
	struct lictor_subject *subject =
		bpf_task_storage_get(&subjects, bpf_get_current_task_btf(), 0, 0);
	struct dentry *root = KREAD(sb, s_root);

	if (subject && subject->mount_point == (u64)root &&
	    bpf_ktime_get_ns() - subject->mount_ns < 1000000) {
		subject->mount_point = 0;
		return 0;
	}
	LICTOR_OPEN(s, LICTOR_EVENT_MOUNT, LICTOR_EVENTS, sb_remount);
	lictor_number(s, LICTOR_FIELD_MOUNT_OPERATION, LICTOR_MOUNT_REMOUNT);
	lictor_number(s, LICTOR_FIELD_MOUNT_FLAGS, lictor_mount_flags(MS_REMOUNT));
	lictor_argument(s, LICTOR_FIELD_MOUNT_TYPE, LICTOR_STRING_ARGUMENT2,
			KREAD(sb, s_type, name));
	lictor_gather_inode(s, lictor_dentry_inode(root), root);
	lictor_gather_path(s, NULL, root, 0, LICTOR_FIELD_FILE_PATH);
	lictor_decide(s, LICTOR_EVENT_MOUNT, 0);
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "sb_umount")
int LICTOR_PROG(lsm_sb_umount, struct vfsmount *mnt, int flags)
{
	struct dentry *root = KREAD(mnt, mnt_root);

	LICTOR_OPEN(s, LICTOR_EVENT_UMOUNT, LICTOR_EVENTS, sb_umount);
	lictor_number(s, LICTOR_FIELD_MOUNT_OPERATION, LICTOR_MOUNT_UMOUNT);
	lictor_number(s, LICTOR_FIELD_MOUNT_FLAGS, (flags & MNT_DETACH ? 1u << 12 : 0) |
							   (flags & MNT_FORCE ? 1u << 13 : 0) |
							   (flags & MNT_EXPIRE ? 1u << 14 : 0));
	lictor_argument(s, LICTOR_FIELD_MOUNT_TYPE, LICTOR_STRING_ARGUMENT2,
			KREAD(root, d_sb, s_type, name));
	lictor_gather_inode(s, lictor_dentry_inode(root), root);
	lictor_gather_path(s, mnt, root, 0, LICTOR_FIELD_FILE_PATH);
	lictor_decide(s, LICTOR_EVENT_UMOUNT, 0);
	return lictor_deny(s);
}
