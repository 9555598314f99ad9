/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SHA-256 of a file that is about to be run, as the kernel's IMA reckons it. To read a file a
 * program has to sleep, which the one that decides may not: another, called before it, notes the
 * hash with the task (lsm/hash.bpf.c), and here it is read.
 */
#ifndef LICTOR_HASH_H
#define LICTOR_HASH_H

#include "bpf/facts.bpf.h"

static __always_inline char lictor_hex_digit(u8 four)
{
	return four < 10 ? '0' + four : 'a' + four - 10;
}

/* Is the note about this file? */
static __always_inline bool lictor_hashed_is(const struct lictor_hashed *note, struct inode *inode)
{
	return note->known && note->ino == KREAD(inode, i_ino) &&
	       note->dev == KREAD(inode, i_sb, s_dev) &&
	       note->igeneration == KREAD(inode, i_generation);
}

static __always_inline void lictor_no_hash(struct lictor_scratch *s)
{
	s->facts.v.state[LICTOR_FIELD_FILE_HASH] = LICTOR_UNKNOWN;
	s->facts.hits[LICTOR_STRING_HASH].state = LICTOR_UNKNOWN;
	lictor_reason(s, LICTOR_REASON_HASH_UNKNOWN);
}

/* A note serves once: what is made executable later may have changed. */
static __noinline int lictor_gather_hash(struct lictor_scratch *s, struct inode *inode)
{
	struct lictor_hashed *note;
	char *to;
	u32 i;

	if (!s || !inode)
		return 0;
	note = bpf_task_storage_get(&hashes, bpf_get_current_task_btf(), 0, 0);
	if (!note || !lictor_hashed_is(note, inode)) {
		lictor_no_hash(s);
		return 0;
	}
	note->known = 0;
	to = &s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX];
	for (i = 0; i < LICTOR_DIGEST_BYTES; i++) {
		to[2 * i] = lictor_hex_digit(note->digest[i] >> 4);
		to[2 * i + 1] = lictor_hex_digit(note->digest[i] & 15);
	}
	lictor_short(s, s->generation, 2 * LICTOR_DIGEST_BYTES, LICTOR_SPACE_HASH,
		     LICTOR_STRING_HASH);
	return 0;
}

/* Of all hashes that rules name, a file has one at most. */
static __always_inline void lictor_gather_outcome(struct lictor_scratch *s, bool known,
						  u16 outcome)
{
	struct lictor_hits *hits = &s->facts.hits[LICTOR_STRING_HASH];

	if (!(s->needs & LICTOR_NEED_HASH))
		return;
	if (!known) {
		lictor_no_hash(s);
		return;
	}
	hits->state = LICTOR_PRESENT;
	hits->any = hits->sure = hits->own = outcome != 0;
	hits->any_out[0] = outcome;
	hits->sure_out[0] = outcome;
}

#endif
