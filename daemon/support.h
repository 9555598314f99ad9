/* SPDX-License-Identifier: Apache-2.0 */
/* What of the rules this kernel can carry out. */
#ifndef LICTOR_SUPPORT_H
#define LICTOR_SUPPORT_H

#include "daemon/engine.h"

/* What a rule loses. X(ID, how it is told, behind the name of what is lost) */
#define LICTOR_LOSS_TABLE(X) \
	X(ACTION, "")	/* the event is not seen, or less can be done */ \
	X(PART, " not seen")	/* a part of the event */ \
	X(DOUBT, " not known, so that the rule holds")	/* a field of match */ \
	X(EXCEPTION, " not known, so that exceptions by it do not hold")

enum lictor_loss {
#define X(id, text) LICTOR_LOSS_##id,
	LICTOR_LOSS_TABLE(X)
#undef X
};

/* An event of a rule for which the kernel can do less than the rule asks. */
struct lictor_shortfall {
	size_t rule;		/* index before anything was changed */
	const char *name;	/* of the rule */
	struct lictor_place place;	/* of its events, or of the predicate that fails */
	int event;
	enum lictor_loss loss;
	const char *what;	/* is lost: a part of the event, or a field; NULL: the action */
	enum lictor_action wanted;
	enum lictor_action given;	/* what is done instead; NONE: the event is not seen */
	bool refused;		/* by the rule or by the configuration */
	const char *why;
};

/* Everything is in the arena of the rules. */
struct lictor_support {
	size_t shortfalls;
	const struct lictor_shortfall *shortfall;	/* in the order of the rules */
	size_t refused;
	size_t *origin;	/* rule i of the changed rules was rule origin[i] */
};

/*
 * Changes the rules to what the kernel can do: an event that is not seen, or never as the rule asks
 * for it, leaves the rule; a rule without any event is disabled; a rule that can do less at some of
 * its events is parted in two of one name. What is left fails as its author asked for. monitor: the
 * daemon's mode; a rule that only monitors needs to see, not to act. degrade: what holds for rules
 * that do not say it themselves. A rule that matches, but not all that it is about, is not refused.
 */
int lictor_support_apply(const struct lictor_engine *engine, bool monitor, bool degrade,
			 struct lictor_rules *rules, struct lictor_support *ret_support);
/* The shortfalls of the rule, as one text without a full stop; NULL where it has none. */
char *lictor_support_text(const struct lictor_support *support, size_t rule,
			  struct lictor_arena *arena);
/* Why a hook is not loaded or attached, for people; NULL where nothing is wrong with it. */
const char *lictor_support_hook(const struct lictor_hook_state *hook);
#define LICTOR_HOOK_MISSING "not in this kernel, or not needed"

#endif
