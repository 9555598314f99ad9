/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the acting process is. The walk is the one that the event's own paths are found by, in the
 * same place: for rules before them, for the record after they have been written down.
 */
#ifndef LICTOR_DIRECTORY_H
#define LICTOR_DIRECTORY_H

#include "bpf/subject.bpf.h"

#define LICTOR_DIRECTORY_TEXT 256u	/* of it, its end, in a record */

/* Into ascent[0]. Returns whether it is known. */
static __always_inline bool lictor_climb_directory_of(struct lictor_scratch *s,
						      struct task_struct *task)
{
	struct fs_struct *fs = task->fs;
	struct vfsmount *mnt;
	struct dentry *dentry;

	if (!fs)
		return false;
	mnt = fs->pwd.mnt;
	dentry = fs->pwd.dentry;
	lictor_ascend(s, s->generation, 0, mnt, dentry);
	asm volatile("" ::: "memory");
	/* Else somebody who shares it has gone elsewhere meanwhile: it may be half of each. */
	return (u64)mnt == (u64)fs->pwd.mnt && (u64)dentry == (u64)fs->pwd.dentry;
}

__noinline int lictor_climb_directory(struct lictor_scratch *s)
{
	return s ? lictor_climb_directory_of(s, bpf_get_current_task_btf()) : 0;
}

/* The directory in ascent[0], for rules. */
static __always_inline void lictor_gather_directory(struct lictor_scratch *s, bool known)
{
	struct lictor_hits *hits = &s->facts.hits[LICTOR_STRING_CWD];

	if (known) {
		lictor_views(s, s->generation, 0, LICTOR_SPACE_OBJECT, LICTOR_STRING_CWD);
	} else {
		hits->state = LICTOR_UNKNOWN;
		lictor_reason(s, LICTOR_REASON_PROCESS_UNREADABLE);
	}
	if (hits->state == LICTOR_UNKNOWN)
		s->facts.v.state[LICTOR_FIELD_PROCESS_CWD] = LICTOR_UNKNOWN;
}

static __always_inline void lictor_record_directory(struct lictor_scratch *s)
{
	const struct lictor_ascent *a = &s->ascent[0];
	u32 length, cut = 0;

	if (!lictor_climb_directory(s) || !lictor_has_text(a))
		return;
	length = LICTOR_PATH_MAX - a->cursor;
	if (!length && a->problem)
		return;
	if (!length) {
		s->text[lictor_region_at(LICTOR_REGION_PATH, LICTOR_PATH_MAX - 1)] = '/';
		length = 1;
	}
	if (a->problem || length > LICTOR_DIRECTORY_TEXT)
		cut = LICTOR_TEXT_CUT;
	if (length > LICTOR_DIRECTORY_TEXT)
		length = LICTOR_DIRECTORY_TEXT;
	lictor_record_text(s, LICTOR_FIELD_PROCESS_CWD, cut,
			   &s->text[lictor_region_at(LICTOR_REGION_PATH, LICTOR_PATH_MAX - length)],
			   length);
}

#endif
