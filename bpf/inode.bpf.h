/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which file a record is about, and when it changed last: by these user space finds it again, and
 * knows that it is what it was. Nothing is decided by them.
 */
#ifndef LICTOR_INODE_H
#define LICTOR_INODE_H

#include "bpf/process.bpf.h"

/* A part of an inode, wherever this kernel has it. */
#define LICTOR_STAMP(note, inode, type, seconds, nanoseconds) \
	do { \
		LICTOR_PEEK((note)->changed_s, (u64)(inode), type, seconds); \
		LICTOR_PEEK((note)->changed_ns, (u64)(inode), type, nanoseconds); \
	} while (0)

/* The highest bit of the nanoseconds says, since 6.13, that somebody has asked for them. */
#define LICTOR_STAMP_ASKED (1u << 31)

static __always_inline void lictor_note_inode(struct lictor_inode *note, struct inode *inode)
{
	LICTOR_PEEK(note->ino, (u64)inode, struct inode, i_ino);
	note->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	LICTOR_PEEK(note->igeneration, (u64)inode, struct inode, i_generation);
	LICTOR_PEEK(note->size, (u64)inode, struct inode, i_size);
	if (bpf_core_field_exists(struct inode___split, i_ctime_sec))
		LICTOR_STAMP(note, inode, struct inode___split, i_ctime_sec, i_ctime_nsec);
	else if (bpf_core_field_exists(struct inode___hidden, __i_ctime))
		LICTOR_STAMP(note, inode, struct inode___hidden, __i_ctime.tv_sec,
			     __i_ctime.tv_nsec);
	else
		LICTOR_STAMP(note, inode, struct inode___stamped, i_ctime.tv_sec,
			     i_ctime.tv_nsec);
	note->changed_ns &= ~LICTOR_STAMP_ASKED;
}

/* The program that acts. One that is about to be another has given its own away already. */
static __always_inline void lictor_record_program(struct lictor_scratch *s,
						  struct task_struct *task,
						  const struct lictor_subject *subject)
{
	struct inode *inode;

	if (task->flags & PF_KTHREAD || !task->mm ||
	    (subject->leaving && subject->leaving != (u64)task->mm))
		return;
	inode = lictor_program_of(task, subject);
	if (inode)
		lictor_note_inode(&s->record.image, inode);
}

#endif
