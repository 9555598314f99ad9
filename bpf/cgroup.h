/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What the name of a control group says: one part of a path, as systemd and the container managers
 * give it. The same code runs in the kernel and in tests. What a side has to bring: LICTOR_LOOP,
 * see match.h.
 */
#ifndef LICTOR_CGROUP_H
#define LICTOR_CGROUP_H

#include "bpf/abi.h"

#define LICTOR_HEX 64u	/* digits of the id that most container managers give */

struct lictor_part {
	char byte[256];	/* no NUL is needed; of what is behind the length nothing is meant */
	__u32 from;	/* where the digits that are looked at begin */
	__u32 digits;	/* no other byte has been found among them */
};

#define LICTOR_PART_FUNCTION static __inline __attribute__((always_inline))

/* Does the name have these bytes at that place? */
LICTOR_PART_FUNCTION int lictor_part_has(const struct lictor_part *part, __u32 at, const char *text,
					 __u32 count)
{
	__u32 differ = 0, i;

	/* Without a branch a byte, which a verifier would follow each. */
	for (i = 0; i < count; i++)
		differ |= (__u8)part->byte[(at + i) & 255] ^ (__u8)text[i];
	return !differ;
}

/* Does it begin or end so, and is there more of it? */
#define LICTOR_PART_BEGINS(part, length, text) \
	((length) > sizeof(text) - 1 && lictor_part_has(part, 0, text, sizeof(text) - 1))
#define LICTOR_PART_ENDS(part, length, text) \
	((length) > sizeof(text) - 1 && \
	 lictor_part_has(part, (length) - (__u32)(sizeof(text) - 1), text, sizeof(text) - 1))

struct lictor_digits {
	struct lictor_part *part;
};

static long lictor_digit_step(__u32 index, void *context)
{
	struct lictor_part *part = ((struct lictor_digits *)context)->part;
	char c = part->byte[(part->from + index) & 255];

	if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
		part->digits = 0;
	return !part->digits;
}

/*
 * The id of 64 digits, as Docker, Podman, containerd, CRI-O and their kin give it: a name of its
 * own, or after the manager's: docker-ID.scope. The group of what watches a container (conmon) is
 * the host's.
 */
LICTOR_PART_FUNCTION int lictor_part_numbered(struct lictor_part *part, __u32 length)
{
	struct lictor_digits digits = { part };

	if (length < LICTOR_HEX)
		return 0;
	part->from = length - LICTOR_HEX;
	if (part->from && part->byte[(part->from - 1) & 255] != '-')
		return 0;
	if (LICTOR_PART_ENDS(part, part->from, "conmon-"))
		return 0;
	part->digits = 1;
	LICTOR_LOOP(LICTOR_HEX, lictor_digit_step, &digits);
	return part->digits != 0;
}

/*
 * Which part of the name is a container's id: its length, 0 if none, and from where. supervised:
 * it is the path of a process that watches the container (lictor_is_supervisor() below).
 */
LICTOR_PART_FUNCTION __u32 lictor_container_part(struct lictor_part *part, __u32 length,
						 __u32 supervised, __u32 *ret_from)
{
	int scope = LICTOR_PART_ENDS(part, length, ".scope");
	__u32 end = scope ? length - 6 : length;

	if (lictor_part_numbered(part, end)) {
		*ret_from = part->from;
		return LICTOR_HEX;
	}
	if (scope && (LICTOR_PART_BEGINS(part, end, "crun-") ||
		      LICTOR_PART_BEGINS(part, end, "runc-"))) {
		*ret_from = 5;
	} else if (LICTOR_PART_BEGINS(part, length, "lxc.payload.")) {
		*ret_from = 12;
		end = length;
	} else if (supervised) {
		return 0;
	/* A virtual machine of libvirt's is none. */
	} else if (scope && LICTOR_PART_BEGINS(part, end, "machine-") &&
		   !LICTOR_PART_BEGINS(part, end, "machine-qemu\\x2d")) {
		*ret_from = 8;
	} else if (length > 23 && LICTOR_PART_BEGINS(part, length, "systemd-nspawn@") &&
		   LICTOR_PART_ENDS(part, length, ".service")) {
		*ret_from = 15;
		end = length - 8;
	} else {
		return 0;
	}
	return end - *ret_from;
}

/* systemd-nspawn keeps itself in a group of this name, beside its container's. */
LICTOR_PART_FUNCTION int lictor_is_supervisor(const struct lictor_part *part, __u32 length)
{
	return length == 10 && lictor_part_has(part, 0, "supervisor", 10);
}

/* A unit of systemd's that has processes. Slices have none of their own. */
LICTOR_PART_FUNCTION int lictor_is_unit(const struct lictor_part *part, __u32 length)
{
	return LICTOR_PART_ENDS(part, length, ".service") ||
	       LICTOR_PART_ENDS(part, length, ".scope") ||
	       LICTOR_PART_ENDS(part, length, ".socket") ||
	       LICTOR_PART_ENDS(part, length, ".mount") || LICTOR_PART_ENDS(part, length, ".swap");
}

#endif
