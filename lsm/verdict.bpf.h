/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place where an outcome becomes an errno. Every LSM program is: open, gather, decide,
 * return lictor_deny().
 */
#ifndef LICTOR_VERDICT_BPF_H
#define LICTOR_VERDICT_BPF_H

#include "bpf/facts.bpf.h"

/*
 * Opens a decision in an LSM program, with `s` as its buffer; leaves the program where there is
 * nothing to decide, or no way to: an earlier LSM's or program's denial stands.
 */
#define LICTOR_OPEN(s, event, also, name) \
	struct lictor_scratch *s = NULL; \
	{ \
		int begun; \
		if (ret) \
			return ret; \
		begun = lictor_begin(event, also, LICTOR_HOOK_##name, LICTOR_VIA_LSM, &s); \
		if (begun == LICTOR_CLOSED) \
			return -EPERM; \
		if (begun == LICTOR_PASS || !s) \
			return 0; \
	}

static __always_inline int lictor_deny(struct lictor_scratch *s)
{
	int error = s->outcome.action >= LICTOR_ACTION_BLOCK ? -EPERM : 0;

	if (s->outcome.rules)
		lictor_report(s, error ? EPERM : 0);
	lictor_scratch_put(s);
	return error;
}

#endif
