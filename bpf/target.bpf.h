/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an event is about where that is no file: the process acted on, and texts that a call was
 * given.
 */
#ifndef LICTOR_TARGET_H
#define LICTOR_TARGET_H

#include "bpf/facts.bpf.h"

/* The value of signal.name: from 32 on, real-time signals, one name for all. */
static __always_inline u32 lictor_signal_value(u32 signal)
{
	return signal > 32 ? 32 : signal;
}

/* What is done to a mount: the values of mount.operation in rules/vocab.tab. */
enum lictor_mount_operation {
	LICTOR_MOUNT_NEW, LICTOR_MOUNT_BIND, LICTOR_MOUNT_REMOUNT, LICTOR_MOUNT_MOVE,
	LICTOR_MOUNT_PROPAGATION, LICTOR_MOUNT_PIVOT, LICTOR_MOUNT_CLONE, LICTOR_MOUNT_ATTRIBUTES,
	LICTOR_MOUNT_UMOUNT,
};

/* Who the other process is, as its own subject says. */
static __always_inline void lictor_gather_target_image(struct lictor_scratch *s,
						       struct task_struct *target)
{
	struct lictor_hits *hits = &s->facts.hits[LICTOR_STRING_TARGET_IMAGE];
	struct lictor_subject *subject = NULL;
	struct lictor_identity *id;

#ifndef LICTOR_PROBING /* a storage is asked for by a task whose type is known */
	subject = bpf_task_storage_get(&subjects, target, 0, 0);
#endif
	hits->any = 0;
	hits->sure = 0;
	hits->own = 0;
	hits->state = LICTOR_UNKNOWN;
	if (!subject) {
		lictor_reason(s, LICTOR_REASON_NO_SUBJECT);
		return;
	}
	lictor_record_text(s, LICTOR_FIELD_TARGET_EXECUTABLE,
			   subject->flags & LICTOR_SUBJECT_CUT ? LICTOR_TEXT_CUT : 0,
			   subject->image, subject->image_length);
	id = &subject->identity[s->generation & 1];
	if (id->generation == (u32)s->generation)
		*hits = id->image;
	else
		lictor_reason(s, LICTOR_REASON_NO_SUBJECT);
}

static __always_inline void lictor_gather_target(struct lictor_scratch *s,
						 struct task_struct *target)
{
	char comm[16];

	lictor_number(s, LICTOR_FIELD_TARGET_PID, KREAD(target, tgid));
	lictor_number(s, LICTOR_FIELD_TARGET_USER, KREAD(target, cred, uid.val));
	lictor_gather_target_image(s, target);
	bpf_probe_read_kernel(comm, sizeof(comm), &target->comm);
	lictor_classify_name(s, s->generation, comm, LICTOR_STRING_TARGET_NAME);
	lictor_record_text(s, LICTOR_FIELD_TARGET_NAME, 0,
			   &s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX],
			   lictor_length_of(comm));
}

/* The text of `length` bytes at region SHORT as an argument of the call. */
static __always_inline void lictor_argument_text(struct lictor_scratch *s, u32 field, u32 string,
						 u32 length)
{
	lictor_record_text(s, field, 0, &s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX],
			   length);
	lictor_short(s, s->generation, length, LICTOR_SPACE_ARGUMENT, string);
}

static __always_inline void lictor_argument_unreadable(struct lictor_scratch *s, u32 string,
						       u32 reason)
{
	struct lictor_hits *hits = &s->facts.hits[string];

	hits->any = 0;
	hits->sure = 0;
	hits->own = 0;
	hits->state = LICTOR_UNKNOWN;
	lictor_reason(s, reason);
}

/* A text in the kernel's memory; none: absent. */
static __always_inline void lictor_argument(struct lictor_scratch *s, u32 field, u32 string,
					    const void *text)
{
	long length;

	if (!text)
		return;
	length = bpf_probe_read_kernel_str(&s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX],
					   LICTOR_PATH_MAX, text);
	if (length < 1)
		lictor_argument_unreadable(s, string, LICTOR_REASON_ARGUMENT_UNREADABLE);
	else
		lictor_argument_text(s, field, string,
				     LICTOR_MASK((u32)length - 1, LICTOR_PATH_MAX - 1));
}

#endif
