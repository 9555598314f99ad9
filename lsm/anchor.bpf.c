/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Anchors follow the world: what the host mounts, wherever it comes from (a device, a bind, a tree
 * that was bound recursively or moved, another namespace's mount that is propagated), is known by
 * its place before the mount can be used, or, moved by mount(2), when that ends; a file system that
 * is no more, is known no more. Nothing is decided here.
 */
#include "bpf/facts.bpf.h"
#include "bpf/watch.bpf.h"
#include "lsm/verdict.bpf.h"

#ifdef LICTOR_PROBING
#define LICTOR_THIRD(ctx) PT_REGS_PARM3(ctx)
#else
#define LICTOR_THIRD(ctx) ((ctx)[2])
#endif

#define LICTOR_MOUNTS (2 * 8192)	/* of one tree: each is come to, and left */

/* The kernel's memory could not be read: what is mounted there gets no name. */
static __always_inline int lictor_unnamed(void)
{
	lictor_count_reason(LICTOR_REASON_PATH_UNREADABLE);
	return 0;
}

/* Are they the same name, and of the same mount? */
static __always_inline bool lictor_is_name(const struct lictor_late *one,
					   const struct lictor_late *other)
{
	const u64 *a = (const u64 *)one->name, *b = (const u64 *)other->name;
	u32 i;

	if (one->length != other->length || one->mount != other->mount ||
	    one->part != other->part || one->announced != other->announced)
		return false;
	for (i = 0; i < LICTOR_LATE_NAME / 8; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

struct lictor_giving {
	struct lictor_scratch *s;
	struct lictor_control *control;
	u64 turn;	/* when it began */
};

/* The name in s->late, by this number: is it there, or is the number free for it? */
static long lictor_give_step(u32 index, struct lictor_giving *g)
{
	u32 number = index & (LICTOR_LATE_NAMES - 1);
	struct lictor_scratch *s = g->s;
	struct lictor_control *c = g->control;
	struct lictor_late *late;
	u32 bit = lictor_anchor_bit(s->grafting.key.ino, s->grafting.key.dev);
	u64 filter_bit = 1ull << (lictor_late_shift(bit) + number);
	u32 word = lictor_late_word(bit);

	s->grafting.key.number = number;
	late = bpf_map_lookup_elem(&late_anchors, &s->grafting.key);
	if (late) {
		if (!lictor_is_name(late, &s->late))
			return 0;
		__sync_fetch_and_add(&late->told, 1);
		/* The whole barrier between saying so and looking at the turn. */
		__sync_lock_test_and_set(&late->since_ns, s->late.since_ns);
		s->grafting.named = !(g->turn & 1) &&
				    *(volatile u64 *)&c->late_turn == g->turn;
		return s->grafting.named;
	}
	__sync_fetch_and_or(&c->late_filter[0][word], filter_bit);
	__sync_fetch_and_or(&c->late_filter[1][word], filter_bit);
	s->grafting.named = !bpf_map_update_elem(&late_anchors, &s->grafting.key, &s->late,
						 BPF_NOEXIST);
	return s->grafting.named;
}

/* Gives the root of a mount the name in s->late, as one more. */
static __always_inline void lictor_name_root(struct lictor_scratch *s)
{
	u32 zero = 0;
	struct lictor_giving giving = {
		.s = s, .control = bpf_map_lookup_elem(&control, &zero),
	};

	s->late.since_ns = bpf_ktime_get_ns();
	s->late.told = 0;
	s->grafting.named = 0;
	if (giving.control) {
		giving.turn = *(volatile u64 *)&giving.control->late_turn;
		/* Once more, since lictord may have made a number free that had been passed. */
		bpf_loop(2 * LICTOR_LATE_NAMES, lictor_give_step, &giving, 0);
	}
	if (!s->grafting.named)
		lictor_count_reason(LICTOR_REASON_NO_ANCHOR);
}

/* The name is in the text, at `at`. Of the root itself there is none: paths begin there anew. */
static __always_inline void lictor_name_text(struct lictor_scratch *s, u32 at, u32 length)
{
	if (length > LICTOR_LATE_NAME) {
		lictor_count_reason(LICTOR_REASON_NO_ANCHOR);
		return;
	}
	if (!length)
		return;
	s->late.length = length;
	__builtin_memset(s->late.name, 0, sizeof(s->late.name));
	bpf_probe_read_kernel(s->late.name, LICTOR_MASK(length, 255),
			      &s->text[LICTOR_MASK(at, LICTOR_TEXT_SIZE - 1)]);
	lictor_name_root(s);
}

/* Up to the root of the tree that is about to be mounted, and on from where it will be. */
static long lictor_graft_step(u32 index, struct lictor_climb *c)
{
	struct lictor_ascent *a = lictor_climbing(c);
	const struct lictor_grafting *g = &c->s->grafting;

	if (a->dentry != a->root || a->mount != g->tree || !g->parent)
		return lictor_mount_step(index, c);
	a->mount = g->parent;
	a->dentry = g->mountpoint;
	if (LICTOR_PEEK(a->root, a->mount, struct mount, mnt.mnt_root)) {
		a->problem = LICTOR_REASON_PATH_UNREADABLE;
		return 1;
	}
	return 0;
}

/* Which object the root of the mount at this address is: into the grafting's key. */
static __noinline int lictor_root_key(struct lictor_scratch *s, u64 mount)
{
	u64 root = 0, sb = 0, top = 0, inode = 0;
	struct lictor_late_key *key;

	if (!s)
		return 0;
	key = &s->grafting.key;
	LICTOR_PEEK(root, mount, struct mount, mnt.mnt_root);
	LICTOR_PEEK(sb, root, struct dentry, d_sb);
	LICTOR_PEEK(inode, root, struct dentry, d_inode);
	if (!inode || LICTOR_PEEK(top, sb, struct super_block, s_root))
		return lictor_unnamed();
	LICTOR_PEEK(key->dev, sb, struct super_block, s_dev);
	LICTOR_PEEK(key->ino, inode, struct inode, i_ino);
	LICTOR_PEEK(key->igeneration, inode, struct inode, i_generation);
	key->number = 0;
	key->pad = 0;
	s->late.part = root != top;
	s->late.mount = 0;
	LICTOR_PEEK(s->late.mount, mount, struct mount, mnt_id);
	s->ascent[1].mount = mount;
	s->ascent[1].root = root;
	s->ascent[1].dentry = root;
	return 1;
}

/* Names the root of the mount at this address by where it is, or will be. */
static __noinline int lictor_name_mount(struct lictor_scratch *s, u64 mount)
{
	struct lictor_climb climb = { .s = s };
	struct lictor_ascent *a;

	if (!s || !lictor_root_key(s, mount))
		return 0;
	a = &s->ascent[1];
	s->climbing = 1;
	a->region = LICTOR_REGION_TARGET;
	a->cursor = LICTOR_PATH_MAX;
	a->problem = 0;
	if (bpf_loop(LICTOR_STEPS, lictor_graft_step, &climb, 0) == LICTOR_STEPS || a->problem)
		lictor_count_reason(a->problem ? a->problem : LICTOR_REASON_NO_ANCHOR);
	else
		lictor_name_text(s, lictor_region_at(a->region, a->cursor),
				 LICTOR_PATH_MAX - a->cursor);
	return 0;
}

/*
 * The root of a part of a file system: besides its place as a mount, it has one in the tree that it
 * is part of. Of an object the nearest anchor counts, and this is going to be it; if it cannot have
 * all its names, it had better be none.
 */
static __always_inline bool lictor_name_part(struct lictor_scratch *s, u64 generation,
					     struct dentry *root)
{
	struct lictor_ascent *a = &s->ascent[0];
	u32 i, where;

	a->field = 0;
	lictor_ascend(s, generation, 0, NULL, root);
	if (a->problem)
		return false;
	/* An anchor itself: its names are known. */
	if (a->suffix == LICTOR_PATH_MAX)
		return true;
	for (i = 0; i < LICTOR_OBJECT_NAMES && i < a->anchored; i++) {
		if (!lictor_anchor_name(s, generation, 0, i))
			continue;
		if (s->name_length + lictor_below_anchor(a) > LICTOR_LATE_NAME)
			return false;
	}
	s->late.mount = 0;
	for (i = 0; i < LICTOR_OBJECT_NAMES && i < a->anchored; i++) {
		if (!lictor_anchor_name(s, generation, 0, i))
			continue;
		where = lictor_host_text(s, generation, 0, 0);
		if (!where)
			return false;
		lictor_name_text(s, where & (LICTOR_TEXT_SIZE - 1), where >> 16);
	}
	return true;
}

/* One move of a walk over a tree of mounts. */
static long lictor_mounts_step(u32 index, struct lictor_climb *c)
{
	struct lictor_grafting *g = &c->s->grafting;
	u64 head = g->mount + bpf_core_field_offset(struct mount, mnt_mounts), next = 0, parent = 0;

	if (!g->leaving) {
		lictor_name_mount(c->s, g->mount);
		if (LICTOR_PEEK(next, g->mount, struct mount, mnt_mounts.next)) {
			lictor_unnamed();
			return 1;
		}
		if (next != head)
			g->mount = next - bpf_core_field_offset(struct mount, mnt_child);
		else
			g->leaving = 1;
		return 0;
	}
	if (g->mount == g->tree)
		return 1;
	if (LICTOR_PEEK(next, g->mount, struct mount, mnt_child.next) ||
	    LICTOR_PEEK(parent, g->mount, struct mount, mnt_parent)) {
		lictor_unnamed();
		return 1;
	}
	if (next == parent + bpf_core_field_offset(struct mount, mnt_mounts)) {
		g->mount = parent;
		return 0;
	}
	g->mount = next - bpf_core_field_offset(struct mount, mnt_child);
	g->leaving = 0;
	return 0;
}

/* A tree of mounts comes, or has come (parent 0), into a place of the host's, or of others. */
static __always_inline int lictor_grafted(u64 tree, struct dentry *root, u64 parent, u64 mountpoint,
					   bool announced)
{
	const struct lictor_control *c = lictor_in_force();
	struct lictor_climb climb = {};
	struct lictor_scratch *s;
	u64 namespace = 0;

	if (!c || !c->active)
		return 0;
	if (LICTOR_PEEK(namespace, parent ? parent : tree, struct mount, mnt_ns))
		return lictor_unnamed();
	if (namespace != c->host.mnt)
		return 0;
	s = lictor_scratch_get();
	if (!s) {
		lictor_count_reason(LICTOR_REASON_NO_SCRATCH);
		return 0;
	}
	s->grafting.tree = tree;
	s->grafting.parent = parent;
	s->grafting.mountpoint = mountpoint;
	s->grafting.mount = tree;
	s->grafting.leaving = 0;
	s->late.announced = announced;
	if (root && lictor_root_key(s, tree) && s->late.part &&
	    !lictor_name_part(s, c->active, root)) {
		lictor_count_reason(LICTOR_REASON_NO_ANCHOR);
		lictor_scratch_put(s);
		return 0;
	}
	climb.s = s;
	if (bpf_loop(LICTOR_MOUNTS, lictor_mounts_step, &climb, 0) == LICTOR_MOUNTS)
		lictor_count_reason(LICTOR_REASON_NO_ANCHOR);
	lictor_scratch_put(s);
	return 0;
}

/* What mount(2) makes or binds, and what is mounted on the way of a path (autofs, NFS). */
SEC(LICTOR_ENTRY "graft_tree")
int LICTOR_ENTRY_PROG(fe_graft_tree, struct mount *tree, void *where)
{
	u64 parent = (u64)where, mountpoint = 0;

	if (bpf_core_type_exists(struct pinned_mountpoint)) {
		LICTOR_PEEK(parent, (u64)where, struct pinned_mountpoint, parent);
		LICTOR_PEEK(mountpoint, (u64)where, struct pinned_mountpoint, mp);
	} else {
		mountpoint = LICTOR_THIRD(ctx);
		asm volatile("" : "+r"(mountpoint));
	}
	if (LICTOR_PEEK(mountpoint, mountpoint, struct mountpoint, m_dentry))
		return lictor_unnamed();
	return lictor_grafted((u64)tree, KREAD(tree, mnt.mnt_root), parent, mountpoint, false);
}

/* A copy for a mount that hears of the others' (propagation); by some compilers' work, the first, too. */
SEC(LICTOR_ENTRY "mnt_set_mountpoint")
int LICTOR_ENTRY_PROG(fe_mnt_set_mountpoint, struct mount *parent, struct mountpoint *at,
		struct mount *tree)
{
	u64 mountpoint = 0;

	if (LICTOR_PEEK(mountpoint, (u64)at, struct mountpoint, m_dentry))
		return lictor_unnamed();
	return lictor_grafted((u64)tree, KREAD(tree, mnt.mnt_root), (u64)parent, mountpoint,
			      false);
}

/* fsmount(2), open_tree(2), move_mount(2): by somebody who may mount, but perhaps not there. */
SEC(LICTOR_SECTION "move_mount")
int LICTOR_PROG(lsm_anchor_move, const struct path *from, const struct path *to)
{
	const struct lictor_control *c = lictor_in_force();
	struct nsproxy *namespaces = bpf_get_current_task_btf()->nsproxy;
	struct vfsmount *mnt = KREAD(from, mnt), *parent = KREAD(to, mnt);
	struct dentry *root = KREAD(from, dentry);

	if (!c || !namespaces || (u64)namespaces->mnt_ns != c->host.mnt ||
	    root != KREAD(mnt, mnt_root))
		return 0;
	return lictor_grafted((u64)mnt - bpf_core_field_offset(struct mount, mnt), root,
			      (u64)parent - bpf_core_field_offset(struct mount, mnt),
			      (u64)KREAD(to, dentry), true);
}

#ifndef LICTOR_PROBING
/*
 * mount(2) has moved what is the last of the mounts on its place now. (No function below it is left
 * by every compiler.)
 */
SEC("fexit/path_mount")
int BPF_PROG(fe_path_mount, const char *source, struct path *place, const char *type,
	     unsigned long flags, void *data, int error)
{
	u64 parent, head, link = 0, at = 0, tree;

	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~MS_MGC_MSK;
	if (error || !(flags & MS_MOVE) || flags & (MS_REMOUNT | MS_BIND | MS_PROPAGATION))
		return 0;
	parent = (u64)place->mnt - bpf_core_field_offset(struct mount, mnt);
	head = parent + bpf_core_field_offset(struct mount, mnt_mounts);
	if (LICTOR_PEEK(link, parent, struct mount, mnt_mounts.prev))
		return lictor_unnamed();
	/* Moved on once more, and away: that call names it. */
	if (link == head)
		return 0;
	tree = link - bpf_core_field_offset(struct mount, mnt_child);
	if (LICTOR_PEEK(at, tree, struct mount, mnt_mountpoint))
		return lictor_unnamed();
	if (at != (u64)place->dentry)
		return 0;
	return lictor_grafted(tree, NULL, 0, 0, false);
}
#endif

static const struct lictor_late lictor_no_more;

/* By its key: in place, it might be another's memory by now. */
static long lictor_ending_step(void *map, const struct lictor_late_key *key,
			       const struct lictor_late *late, const u32 *dev)
{
	if (key->dev == *dev && late->length)
		bpf_map_update_elem(&late_anchors, key, &lictor_no_more, BPF_EXIST);
	return 0;
}

/*
 * A file system ends. Its device number is still its own; if it is no real device's, anybody may get
 * it next, and some file systems let their server choose inode numbers. What is on a real device
 * comes back with it.
 */
SEC(LICTOR_SECTION "sb_delete")
int LICTOR_PROG(lsm_sb_delete, struct super_block *sb)
{
	struct lictor_device device = { .dev = KREAD(sb, s_dev) };
	struct lictor_control *c;
	u32 zero = 0, dev = device.dev, slot, *gone;

	c = bpf_map_lookup_elem(&control, &zero);
	if (!c || dev >> 20)
		return 0;
#pragma unroll
	for (slot = 0; slot < 2; slot++) {
		device.slot = slot;
		gone = bpf_map_lookup_elem(&devices, &device);
		if (gone) {
			*gone = 1;
			c->gone = 1;
		}
	}
	bpf_for_each_map_elem(&late_anchors, lictor_ending_step, &dev, 0);
	return 0;
}
