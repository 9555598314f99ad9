/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Anchors follow the world: a file system that the host mounts is known by its place before the
 * mount can be used. Nothing is decided here.
 */
#include "bpf/facts.bpf.h"
#include "lsm/verdict.bpf.h"

#define LICTOR_CAP_SYS_ADMIN 21

/*
 * In the mount namespace that paths in rules are about, by somebody who may mount there? The hooks
 * come before the kernel's own question.
 */
static __always_inline bool lictor_on_host(const struct lictor_control **ret_c)
{
	const struct lictor_control *c = lictor_in_force();
	struct task_struct *task = bpf_get_current_task_btf();
	struct nsproxy *namespaces = task->nsproxy;
	const struct cred *cred = task->cred;
	struct user_namespace *owner;
	u64 capabilities = 0;

	*ret_c = c;
	if (!c || !c->active || !namespaces || (u64)namespaces->mnt_ns != c->host_mounts)
		return false;
	bpf_probe_read_kernel(&capabilities, sizeof(capabilities), &cred->cap_effective);
	if (!(capabilities >> LICTOR_CAP_SYS_ADMIN & 1))
		return false;
	owner = BPF_CORE_READ(namespaces, mnt_ns, user_ns);
	return cred->user_ns == owner ||
	       BPF_CORE_READ(cred, user_ns, level) < BPF_CORE_READ(owner, level);
}

/* Gives the root one more name; four are kept. */
static __always_inline void lictor_name_root(struct lictor_late_key *root, struct lictor_late *late)
{
	struct lictor_late *first = bpf_map_lookup_elem(&late_anchors, root);
	u32 names = first ? first->names : 0;

	if (names >= LICTOR_ANCHOR_NAMES)
		return;
	late->names = names + 1;
	late->since_ns = bpf_ktime_get_ns();
	root->number = names;
	if (bpf_map_update_elem(&late_anchors, root, late, BPF_ANY))
		lictor_count_reason(LICTOR_REASON_NO_ANCHOR);
	root->number = 0;
	if (first) {
		first->since_ns = late->since_ns;
		first->names = names + 1;
	}
}

/* Where something is about to be mounted; NULL: it has no name that can be kept, which is counted. */
static __always_inline struct lictor_late *lictor_place(struct lictor_scratch *s,
							const struct lictor_control *c,
							const struct path *path)
{
	lictor_tables tables = lictor_open(c->active);
	struct lictor_late *late = (struct lictor_late *)&s->record;
	struct lictor_ascent *a = &s->ascent[0];
	u32 length;

	if (!tables) {
		lictor_count_reason(LICTOR_REASON_NO_TABLES);
		return NULL;
	}
	lictor_ascend(s, tables, 0, KREAD(path, mnt), KREAD(path, dentry));
	length = LICTOR_PATH_MAX - a->cursor;
	if (a->problem || length > LICTOR_LATE_NAME) {
		lictor_count_reason(a->problem ? a->problem : LICTOR_REASON_NO_ANCHOR);
		return NULL;
	}
	/* Over the root itself: paths begin there anew. */
	if (!length)
		return NULL;
	late->length = length;
	bpf_probe_read_kernel(late->name, LICTOR_MASK(length, 255),
			      &s->text[lictor_region_at(0, a->cursor)]);
	return late;
}

/* mount(2) of a new file system: where; sb_kern_mount tells which, in the same call. */
SEC(LICTOR_SECTION "sb_mount")
int LICTOR_PROG(lsm_anchor_mount, const char *source, const struct path *path)
{
	struct lictor_late *late, *kept;
	const struct lictor_control *c;
	struct lictor_scratch *s;

	if (!lictor_on_host(&c))
		return 0;
	kept = bpf_task_storage_get(&mounting, bpf_get_current_task_btf(), 0,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!kept) {
		lictor_count_reason(LICTOR_REASON_NO_ANCHOR);
		return 0;
	}
	kept->length = 0;
	s = lictor_scratch_get();
	if (!s) {
		lictor_count_reason(LICTOR_REASON_NO_SCRATCH);
		return 0;
	}
	late = lictor_place(s, c, path);
	if (late)
		*kept = *late;
	lictor_scratch_put(s);
	return 0;
}

SEC(LICTOR_SECTION "sb_kern_mount")
int LICTOR_PROG(lsm_anchor_super, struct super_block *sb)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct lictor_late *late = bpf_task_storage_get(&mounting, task, 0, 0);
	struct lictor_late_key root = {};
	const struct lictor_control *c;
	struct inode *inode;

	if (!late || !late->length || !lictor_on_host(&c))
		return 0;
	inode = lictor_dentry_inode(KREAD(sb, s_root));
	if (inode) {
		root.ino = KREAD(inode, i_ino);
		root.igeneration = KREAD(inode, i_generation);
		root.dev = KREAD(sb, s_dev);
		lictor_name_root(&root, late);
	}
	late->length = 0;
	return 0;
}

/* fsmount(2), open_tree(2): the mount gets its place here. */
SEC(LICTOR_SECTION "move_mount")
int LICTOR_PROG(lsm_anchor_move, const struct path *from, const struct path *to)
{
	struct inode *inode = lictor_dentry_inode(KREAD(from, dentry));
	struct lictor_late_key root = {};
	const struct lictor_control *c;
	struct lictor_scratch *s;
	struct lictor_late *late;

	/* Of a part of a file system, the way up to the root is known. */
	if (!inode || KREAD(from, dentry) != KREAD(from, dentry, d_sb, s_root) ||
	    !lictor_on_host(&c))
		return 0;
	root.ino = KREAD(inode, i_ino);
	root.igeneration = KREAD(inode, i_generation);
	root.dev = KREAD(from, dentry, d_sb, s_dev);
	s = lictor_scratch_get();
	if (!s) {
		lictor_count_reason(LICTOR_REASON_NO_SCRATCH);
		return 0;
	}
	late = lictor_place(s, c, to);
	if (late)
		lictor_name_root(&root, late);
	lictor_scratch_put(s);
	return 0;
}
