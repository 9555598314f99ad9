/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A function of the kernel that is watched because no hook tells of what it does: such programs
 * decide and report, and signal where that is asked.
 */
#ifndef LICTOR_WATCH_H
#define LICTOR_WATCH_H

#include "bpf/net.bpf.h"
#include "bpf/target.bpf.h"

/* Where a function is entered: by the object of kprobes, too. */
#ifdef LICTOR_PROBING
#include <asm/ptrace.h>
#define LICTOR_ENTRY "kprobe/"
#define LICTOR_ENTRY_PROG BPF_KPROBE
#define LICTOR_ENTRY_VIA LICTOR_VIA_KPROBE
#else
#define LICTOR_ENTRY "fentry/"
#define LICTOR_ENTRY_PROG BPF_PROG
#define LICTOR_ENTRY_VIA LICTOR_VIA_FENTRY
#endif

#define LICTOR_WATCH(s, event, name, way) \
	struct lictor_scratch *s = NULL; \
	if (lictor_begin(event, LICTOR_EVENTS, LICTOR_HOOK_##name, way, &s) != LICTOR_DECIDE || !s) \
		return 0

static __always_inline int lictor_watched(struct lictor_scratch *s, u32 event, s32 error)
{
	lictor_decide(s, event, 0);
	lictor_observe(s, error);
	return 0;
}

/* The values of namespace.types in rules/vocab.tab. */
enum {
	LICTOR_NS_CGROUP = 1u << 0, LICTOR_NS_IPC = 1u << 1, LICTOR_NS_MNT = 1u << 2,
	LICTOR_NS_NET = 1u << 3, LICTOR_NS_PID = 1u << 4, LICTOR_NS_TIME = 1u << 5,
	LICTOR_NS_USER = 1u << 6, LICTOR_NS_UTS = 1u << 7,
};

/* open_tree(2) with OPEN_TREE_CLONE: a copy of a tree that only a descriptor leads to. */
static __always_inline int lictor_cloned(struct lictor_scratch *s, struct vfsmount *mnt,
					 struct dentry *dentry, bool recursive)
{
	lictor_number(s, LICTOR_FIELD_MOUNT_OPERATION, LICTOR_MOUNT_CLONE);
	lictor_number(s, LICTOR_FIELD_MOUNT_FLAGS, recursive ? 1u << 5 : 0);
	lictor_gather_inode(s, lictor_dentry_inode(dentry), dentry);
	lictor_gather_path(s, mnt, dentry, 0, LICTOR_FIELD_FILE_PATH);
	return lictor_watched(s, LICTOR_EVENT_MOUNT, 0);
}

#endif
