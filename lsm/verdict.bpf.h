/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place where an outcome becomes an errno. Every LSM program is: open, gather, decide,
 * return lictor_deny().
 */
#ifndef LICTOR_VERDICT_BPF_H
#define LICTOR_VERDICT_BPF_H

#include "bpf/facts.bpf.h"

/*
 * The section and the signature of a program of the LSM table: the hook's arguments as far as they
 * are used. At kprobes they are in registers. What an earlier program returned needs no look: after
 * a denial the trampoline calls no further one.
 */
#ifdef LICTOR_PROBING
#include <asm/ptrace.h>
#define LICTOR_SECTION "kprobe/"
#define LICTOR_PROG BPF_KPROBE
#define LICTOR_DENIAL 0
#define LICTOR_SECOND(ctx) PT_REGS_PARM2(ctx)
#define LICTOR_MAP_FLAGS(ctx) PT_REGS_PARM3(ctx)
#else
#define LICTOR_SECTION "lsm/"
#define LICTOR_PROG BPF_PROG
#define LICTOR_DENIAL -EPERM
#define LICTOR_SECOND(ctx) ((ctx)[1])
/* mmap_file has one argument more than security_mmap_file(). */
#define LICTOR_MAP_FLAGS(ctx) lictor_map_flags(ctx)
static __always_inline u64 lictor_map_flags(const u64 *ctx)
{
	u64 flags;

	if (lictor_way == LICTOR_VIA_LSM) {
		flags = ctx[3];
		asm volatile("" : "+r"(flags));
	} else {
		flags = ctx[2];
		asm volatile("" : "+r"(flags));
	}
	return flags;
}
#endif

/*
 * Opens a decision in such a program, with `s` as its buffer; leaves the program where there is
 * nothing to decide, or no way to.
 */
#define LICTOR_OPEN(s, event, also, name) \
	struct lictor_scratch *s = NULL; \
	{ \
		int begun; \
		begun = lictor_begin(event, also, LICTOR_HOOK_##name, lictor_way, &s); \
		if (begun == LICTOR_CLOSED) \
			return LICTOR_DENIAL; \
		if (begun == LICTOR_PASS || !s) \
			return 0; \
	}

/* Does the call end here? At a kprobe it goes on, whatever becomes of the process. */
static __always_inline bool lictor_denies(const struct lictor_scratch *s)
{
	return LICTOR_DENIAL && s->outcome.action >= LICTOR_ACTION_BLOCK;
}

static __always_inline int lictor_deny(struct lictor_scratch *s)
{
	if (!lictor_denies(s)) {
		lictor_let_pass(s, 0);
		return 0;
	}
	if (s->outcome.rules)
		lictor_report(s, EPERM, true);
	lictor_scratch_put(s);
	return LICTOR_DENIAL;
}

/* Of what another process hands over, and has chosen: it is refused, and nobody dies of it. */
static __always_inline int lictor_deny_given(struct lictor_scratch *s)
{
	if (s->outcome.action == LICTOR_ACTION_SIGNAL)
		s->outcome.action = LICTOR_ACTION_ALERT;
	else if (s->outcome.action > LICTOR_ACTION_BLOCK)
		s->outcome.action = LICTOR_ACTION_BLOCK;
	return lictor_deny(s);
}

#endif
