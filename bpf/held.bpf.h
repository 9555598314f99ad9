/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors that were open before the rules came, and may break them. Files are known by their
 * address, and that by the inode: an address is used again.
 */
#ifndef LICTOR_HELD_H
#define LICTOR_HELD_H

#include "bpf/decide.bpf.h"

/* Was the file open before the rules in force, and does one of them look at it? */
static __always_inline bool lictor_held(struct file *file)
{
	const struct lictor_control *c = lictor_in_force();
	u64 key = (u64)file;
	struct inode *inode;
	struct lictor_held *held;

	if (!c || !c->held)
		return false;
	held = bpf_map_lookup_elem(&held_files, &key);
	/* While they are looked for, those of the rules before are all that is known. */
	if (!held || (held->generation != c->active && !(c->held & LICTOR_HELD_SEARCH)))
		return false;
	inode = KREAD(file, f_inode);
	return held->inode == (u64)inode && held->ino == KREAD(inode, i_ino);
}

/* It is being opened now: whatever was known of the address is of another file. */
static __always_inline void lictor_note_open(struct file *file)
{
	const struct lictor_control *c = lictor_in_force();
	struct lictor_opened opened;
	u64 key = (u64)file;

	if (!c || !c->held)
		return;
	bpf_map_delete_elem(&held_files, &key);
	if (!(c->held & LICTOR_HELD_SEARCH))
		return;
	/* Before it is judged: if other rules come in between, it is looked at once too often. */
	opened.generation = c->active;
	opened.inode = (u64)KREAD(file, f_inode);
	bpf_map_update_elem(&opened_files, &key, &opened, BPF_ANY);
}

#endif
