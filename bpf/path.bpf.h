/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one path resolver. From an object up: its dentries to the root of its mount, the mounts to
 * the root of the mount namespace (chroot is ignored), whole, to PATH_MAX. On the way it notes the
 * nearest anchor, an object whose name on the host is known; anchor plus what is below it is the
 * host's view of the same object, whatever mounts the process has made for itself.
 *
 * Names are read without the kernel's rename lock: while a directory is moved, a walk may see the
 * name before and the parent after. Both are names that the object has had in that moment, and an
 * exception also needs the anchor.
 */
#ifndef LICTOR_PATH_H
#define LICTOR_PATH_H

#include "bpf/scratch.bpf.h"

struct lictor_climb {
	struct dentry *dentry;
	struct lictor_scratch *s;	/* s->climbing: which ascent */
	const struct lictor_control *control;
	const void *page;		/* the image's first */
};

static __always_inline struct lictor_ascent *lictor_climbing(struct lictor_climb *c)
{
	return &c->s->ascent[c->s->climbing & 1];
}

/* Has what was climbed from a path that a record can tell? */
static __always_inline bool lictor_has_text(const struct lictor_ascent *a)
{
	return !a->pseudo && !(a->mountless && a->anchored) && a->cursor <= LICTOR_PATH_MAX;
}

/*
 * A dentry's inode; NULL for a name that does not exist yet. The address is looked at first: from
 * 6.2 (and still in 6.12) verifiers hold dentry->d_inode for a pointer that is never NULL, drop
 * the check of it as dead code, and the kernel falls over the first negative dentry.
 */
static __always_inline struct inode *lictor_dentry_inode(struct dentry *dentry)
{
	u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &dentry->d_inode);
	return address ? KREAD(dentry, d_inode) : NULL;
}

/* "/" and the name in front of the text so far. */
static __always_inline int lictor_prepend(struct lictor_scratch *s, struct lictor_ascent *a,
					  const void *name, u32 length)
{
	u32 cursor = a->cursor, at;

	if (length > 255) {
		a->problem = LICTOR_REASON_PATH_UNREADABLE;
		return -1;
	}
	if (cursor > LICTOR_PATH_MAX || cursor < length + 2) {
		a->problem = LICTOR_REASON_PATH_TOO_LONG;
		return -1;
	}
	cursor -= length;
	at = a->region * LICTOR_PATH_MAX + cursor;
	if (bpf_probe_read_kernel(&s->text[LICTOR_MASK(at, LICTOR_TEXT_SIZE - 1)],
				  LICTOR_MASK(length, 255), name)) {
		a->problem = LICTOR_REASON_PATH_UNREADABLE;
		return -1;
	}
	s->text[LICTOR_MASK(at - 1, LICTOR_TEXT_SIZE - 1)] = '/';
	a->cursor = cursor - 1;
	return 0;
}

/* A mount's root: mounted since the image was made? Which numbers it may have is in `numbers`. */
static __noinline int lictor_late_check(struct lictor_climb *c, u32 numbers)
{
	struct lictor_ascent *a = lictor_climbing(c);
	struct lictor_late_key key = { a->ino, a->dev, a->igeneration, 0, 0 };
	const struct lictor_late *late;
	u32 i;

	for (i = 0; i < LICTOR_LATE_NAMES; i++) {
		if (!(numbers & 1u << i))
			continue;
		key.number = i;
		late = bpf_map_lookup_elem(&late_anchors, &key);
		if (late && late->length)
			a->late = i + 1;
	}
	return 0;
}

/* Are the numbers of this device those of the file system that the image means? */
static __always_inline bool lictor_device_is_there(u32 dev, u32 slot)
{
	struct lictor_device device = { dev, slot };
	const u32 *gone = bpf_map_lookup_elem(&devices, &device);

	return !gone || !*gone;
}

/*
 * The anchor of ascent[which] in the image, if the object with its numbers is one. A function of
 * its own, since few objects come so far, and verifiers look into it once.
 */
__noinline int lictor_find_anchor(struct lictor_scratch *s, u64 generation, u32 which)
{
	lictor_tables tables = lictor_open(generation);
	const void *page = tables ? lictor_page(tables, 0) : NULL;
	struct lictor_ascent *a;
	u32 table, slots, slot, i;

	if (!s || !page)
		return 0;
	a = &s->ascent[which & 1];
	table = LICTOR_GET(page, 0, struct lictor_image, anchors.off);
	slots = LICTOR_GET(page, 0, struct lictor_image, anchors.slots);
	slot = lictor_anchor_slot(a->ino, a->dev, a->igeneration);
	page = lictor_page(tables, table);
	if (!page)
		return 0;
	for (i = 0; i < LICTOR_PROBES_MAX; i++) {
		u32 at = table + ((slot + i) & (slots - 1)) * (u32)sizeof(struct lictor_anchor);

		if (!LICTOR_GET(page, at, struct lictor_anchor, names))
			return 0;
		if (LICTOR_GET(page, at, struct lictor_anchor, ino) == a->ino &&
		    LICTOR_GET(page, at, struct lictor_anchor, dev) == a->dev &&
		    LICTOR_GET(page, at, struct lictor_anchor, igeneration) == a->igeneration) {
			const struct lictor_control *c = lictor_in_force();

			if (!c || (c->gone && !lictor_device_is_there(a->dev, generation & 1)))
				return 0;
			a->name = LICTOR_GET(page, at, struct lictor_anchor, name);
			a->name_length = LICTOR_GET(page, at, struct lictor_anchor, length);
			return LICTOR_GET(page, at, struct lictor_anchor, names);
		}
	}
	return 0;
}

static __always_inline void lictor_anchor_check(struct lictor_climb *c, u64 ino, u32 igeneration)
{
	struct lictor_ascent *a = lictor_climbing(c);
	u32 bit = lictor_anchor_bit(ino, a->dev);
	u64 known = LICTOR_AT(u64, c->page, (u32)__builtin_offsetof(struct lictor_image, anchor_filter) +
						    (bit >> 6) * 8);
	u32 numbers = c->control->late_filter[c->control->late_slot & 1][lictor_late_word(bit)] >>
		      lictor_late_shift(bit) & ((1u << LICTOR_LATE_NAMES) - 1);
	u32 names = 0;

	known &= 1ull << (bit & 63);
	if (!known && !numbers)
		return;
	a->ino = ino;
	a->igeneration = igeneration;
	if (numbers)
		lictor_late_check(c, numbers);
	if (known)
		names = lictor_find_anchor(c->s, c->s->climbing_under, c->s->climbing);
	if (a->late + names) {
		a->anchored = a->late + names;
		a->suffix = a->cursor;
	}
}

/* Objects that their file system names, such as namespaces: in no directory, as pipes are. */
static __always_inline bool lictor_named_by_type(struct dentry *dentry)
{
	u64 operations = 0, name = 0;

	bpf_probe_read_kernel(&operations, sizeof(operations), &dentry->d_op);
	if (operations)
		bpf_probe_read_kernel(&name, sizeof(name),
				      (const void *)(operations +
						     bpf_core_field_offset(struct dentry_operations,
									   d_dname)));
	return name != 0;
}

/* One dentry of the object's own mount. Only the first can be a name without an inode. */
static long lictor_climb_step(u32 index, struct lictor_climb *c)
{
	struct dentry *dentry = c->dentry, *parent;
	struct lictor_ascent *a = lictor_climbing(c);
	struct inode *inode = index ? KREAD(dentry, d_inode) : lictor_dentry_inode(dentry);

	if (!a->anchored && inode)
		lictor_anchor_check(c, KREAD(inode, i_ino), KREAD(inode, i_generation));
	if ((u64)dentry == a->root) {
		a->arrived = 1;
		return 1;
	}
	parent = KREAD(dentry, d_parent);
	if (parent == dentry) {
		a->pseudo = !index && lictor_named_by_type(dentry);
		a->top = 1;
		return 1;
	}
	if (lictor_prepend(c->s, a, KREAD(dentry, d_name.name),
			   KREAD(dentry, d_name.len)))
		return 1;
	c->dentry = parent;
	return 0;
}

/* Above the mount's root, for the host's view only: where a bind mount shows part of a tree. */
static long lictor_beyond_step(u32 index, struct lictor_climb *c)
{
	struct dentry *dentry = c->dentry, *parent;
	struct lictor_ascent *a = lictor_climbing(c);
	struct inode *inode = index ? KREAD(dentry, d_inode) : lictor_dentry_inode(dentry);

	if (inode)
		lictor_anchor_check(c, KREAD(inode, i_ino), KREAD(inode, i_generation));
	if (a->anchored)
		return 1;
	parent = KREAD(dentry, d_parent);
	if (parent == dentry) {
		a->top = 1;
		return 1;
	}
	if (lictor_prepend(c->s, a, KREAD(dentry, d_name.name),
			   KREAD(dentry, d_name.len)))
		return 1;
	c->dentry = parent;
	return 0;
}

#define LICTOR_PEEK(to, address, structure, member) \
	bpf_probe_read_kernel(&(to), sizeof(to), \
			      (const void *)((address) + \
					     bpf_core_field_offset(structure, member)))

/* One dentry, or one mount, above the object's own mount. */
static long lictor_mount_step(u32 index, struct lictor_climb *c)
{
	struct lictor_ascent *a = lictor_climbing(c);
	u64 dentry = a->dentry, parent = 0;
	u64 name = 0;
	u32 length = 0;

	if (dentry == a->root) {
		u64 mount = a->mount, above = 0, root = 0;

		if (LICTOR_PEEK(above, mount, struct mount, mnt_parent))
			a->problem = LICTOR_REASON_PATH_UNREADABLE;
		if (a->problem || above == mount)
			return 1;
		if (LICTOR_PEEK(dentry, mount, struct mount, mnt_mountpoint) ||
		    LICTOR_PEEK(root, above, struct mount, mnt.mnt_root)) {
			a->problem = LICTOR_REASON_PATH_UNREADABLE;
			return 1;
		}
		a->mount = above;
		a->root = root;
		a->dentry = dentry;
		return 0;
	}
	if (LICTOR_PEEK(parent, dentry, struct dentry, d_parent) ||
	    LICTOR_PEEK(name, dentry, struct dentry, d_name.name) ||
	    LICTOR_PEEK(length, dentry, struct dentry, d_name.len)) {
		a->problem = LICTOR_REASON_PATH_UNREADABLE;
		return 1;
	}
	if (parent == dentry) {
		a->problem = LICTOR_REASON_PATH_DISCONNECTED;
		return 1;
	}
	if (lictor_prepend(c->s, a, (const void *)name, length))
		return 1;
	a->dentry = parent;
	return 0;
}

/* Components are at least two bytes; mounts on the way cost a step each. */
#define LICTOR_STEPS (LICTOR_PATH_MAX / 2 + 256)

/* The path of dentry on mnt; mnt NULL: the hook has none, and only the host's view is built. */
static __always_inline void lictor_ascend(struct lictor_scratch *s, u64 generation, u32 which,
					  struct vfsmount *mnt, struct dentry *dentry)
{
	lictor_tables tables = lictor_open(generation);
	struct lictor_ascent *a = &s->ascent[which & 1];
	struct lictor_climb c = { .dentry = dentry, .s = s };
	struct super_block *sb = KREAD(dentry, d_sb);

	s->climbing = which;
	s->climbing_under = generation;
	a->region = which & 1;
	a->cursor = LICTOR_PATH_MAX;
	a->problem = 0;
	a->pseudo = 0;
	a->arrived = 0;
	a->top = 0;
	a->anchored = 0;
	a->late = 0;
	a->host_length = 0;
	a->mountless = !mnt;
	a->dev = KREAD(sb, s_dev);
	if (KREAD(sb, s_flags) & SB_NOUSER) {
		a->pseudo = 1;
		return;
	}
	c.control = lictor_in_force();
	c.page = tables ? lictor_page(tables, 0) : NULL;
	if (!c.page || !c.control) {
		a->problem = LICTOR_REASON_NO_TABLES;
		return;
	}
	if (!mnt) {
		bpf_loop(LICTOR_STEPS, lictor_beyond_step, &c, 0);
		if (!a->anchored && !a->top && !a->problem)
			a->problem = LICTOR_REASON_PATH_TOO_LONG;
		return;
	}
	a->root = (u64)KREAD(mnt, mnt_root);
	bpf_loop(LICTOR_STEPS, lictor_climb_step, &c, 0);
	if (!a->arrived) {
		/* Moved away from under its mount: only the host still has a way to it. */
		a->mountless = a->top && a->anchored;
		if (!a->problem && !a->pseudo && !a->mountless)
			a->problem = a->top ? LICTOR_REASON_PATH_DISCONNECTED :
					      LICTOR_REASON_PATH_TOO_LONG;
		return;
	}
	a->mount = (u64)mnt - bpf_core_field_offset(struct mount, mnt);
	a->dentry = a->root;
	if (!a->anchored) {
		u32 cursor = a->cursor;

		bpf_loop(LICTOR_STEPS, lictor_beyond_step, &c, 0);
		/* The text beyond the mount's root is in front of the suffix now; the process's own
		   view is not, and is built over it: the host's view copies what it needs first. */
		if (a->anchored)
			a->host_length = LICTOR_PATH_MAX - a->suffix;
		a->cursor = cursor;
		/* Nowhere on the host is an answer; not to have got to the end is none. */
		if (!a->anchored && !a->top) {
			if (!a->problem)
				a->problem = LICTOR_REASON_PATH_TOO_LONG;
			return;
		}
		a->problem = 0;
	}
	if (a->host_length) {
		u32 start = LICTOR_PATH_MAX - a->host_length;

		bpf_probe_read_kernel(&s->text[lictor_region_at(LICTOR_REGION_HOST, start)],
				      LICTOR_MASK(a->host_length, LICTOR_PATH_MAX - 1),
				      &s->text[lictor_region_at(a->region, start)]);
	}
	if (bpf_loop(LICTOR_STEPS, lictor_mount_step, &c, 0) == LICTOR_STEPS && !a->problem)
		a->problem = LICTOR_REASON_PATH_TOO_LONG;
}

#endif
