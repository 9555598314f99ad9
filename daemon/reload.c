/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: from rules.d to the kernel, the same way at start and at each reload. In: directories, the
 * engine. Out: a generation in force, or nothing changed at all. May touch: the rule files, and the
 * kernel through the engine.
 */
#include "daemon/reload.h"

#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/random.h>

#include "daemon/own.h"

struct lictor_draft {
	struct lictor_rules *rules;
	struct lictor_ruleset *set;
	struct lictor_support support;
	struct lictor_diags *diags;
	bool monitor;
	bool degrade;
};

OWNABLE(struct lictor_draft, lictor_draft_free)
OWNABLE(struct lictor_arena, lictor_arena_free)

const char *lictor_stage_text(enum lictor_stage stage)
{
	static const char *const text[] = {
		[LICTOR_STAGE_READ] = "reading the rules",
		[LICTOR_STAGE_SUPPORT] = "fitting the rules to this kernel",
		[LICTOR_STAGE_ANCHORS] = "looking up the rules' directories",
		[LICTOR_STAGE_COMPILE] = "compiling the rules",
		[LICTOR_STAGE_INSTALL] = "installing the rules",
	};

	return text[stage];
}

static int read_files(const struct lictor_config *config, struct lictor_diags *diags,
		      struct lictor_rules **ret_rules)
{
	struct lictor_arena *arena OWN(own_lictor_arena_free) = lictor_arena_new();
	const char *const *file = NULL;
	size_t files = 0;
	int error;

	if (!arena)
		return -ENOMEM;
	error = lictor_rules_files(config->dirs, (const char *const *)config->dir, diags, arena,
				   &files, &file);
	return error ? error : lictor_rules_read(files, file, diags, ret_rules);
}

int lictor_draft_read(const struct lictor_config *config, struct lictor_diags *diags,
		      struct lictor_draft **ret_draft)
{
	struct lictor_draft *draft OWN(own_lictor_draft_free) = calloc(1, sizeof(*draft));
	int error;

	if (!draft)
		return -ENOMEM;
	draft->diags = diags;
	draft->monitor = config->mode == LICTOR_MODE_MONITOR;
	draft->degrade = config->degrade;
	error = read_files(config, diags, &draft->rules);
	if (!error)
		error = lictor_ruleset_new(draft->rules, diags, draft->monitor, &draft->set);
	if (error)
		return error;
	*ret_draft = TAKE(draft);
	return 0;
}

void lictor_draft_free(struct lictor_draft *draft)
{
	if (draft->set)
		lictor_ruleset_free(draft->set);
	if (draft->rules)
		lictor_rules_free(draft->rules);
	free(draft);
	malloc_trim(0);
}

const char *lictor_draft_digest(const struct lictor_draft *draft)
{
	return draft->set->digest;
}

static int find_anchors(struct lictor_draft *draft, struct lictor_engine *engine,
			size_t *ret_anchors, struct lictor_anchor_found **ret_anchor)
{
	struct lictor_arena *arena = draft->rules->arena;
	const struct lictor_root *root = NULL;
	size_t roots = 0;
	int error = lictor_rules_roots(draft->rules, arena, &roots, &root);

	return error ? error :
		       lictor_engine_anchors(engine, roots, root, arena, ret_anchors, ret_anchor);
}

void lictor_draft_shortfalls(const struct lictor_draft *draft, bool refused,
			     lictor_draft_tell *tell, void *context)
{
	const struct lictor_shortfall *fall = draft->support.shortfall, *last = NULL;
	const struct lictor_shortfall *end = fall + draft->support.shortfalls;
	const char *text;

	for (; fall < end; fall++) {
		if ((refused && !fall->refused) || (last && last->rule == fall->rule))
			continue;
		last = fall;
		text = lictor_support_text(&draft->support, fall->rule, draft->rules->arena);
		tell(context, fall, text ? text : fall->why);
	}
}

static void complain(void *context, const struct lictor_shortfall *fall, const char *text)
{
	lictor_diag_error(context, fall->place, "on-unsupported: degrade",
			  "rule %s cannot be carried out here: %s", fall->name, text);
}

int lictor_draft_compile(struct lictor_draft *draft, struct lictor_engine *engine,
			 const struct lictor_ruleset *previous, void (*breathe)(void *context),
			 void *context, enum lictor_stage *ret_stage)
{
	uint64_t generation = lictor_engine_next(engine), seed;
	struct lictor_anchor_found *anchor = NULL;
	struct lictor_compiled *compiled = NULL;
	size_t anchors = 0;
	int error;

	*ret_stage = LICTOR_STAGE_SUPPORT;
	error = lictor_support_apply(engine, draft->monitor, draft->degrade, draft->rules,
				     &draft->support);
	if (error)
		return error;
	if (draft->support.refused) {
		lictor_draft_shortfalls(draft, true, complain, draft->diags);
		return -EOPNOTSUPP;
	}
	breathe(context);
	*ret_stage = LICTOR_STAGE_ANCHORS;
	error = find_anchors(draft, engine, &anchors, &anchor);
	if (error)
		return error;
	breathe(context);
	*ret_stage = LICTOR_STAGE_COMPILE;
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return -EIO;
	error = lictor_compile(draft->rules, anchors, anchor, draft->monitor, generation, seed,
			       previous ? previous->compiled : NULL, draft->diags, &compiled);
	if (error)
		return error;
	breathe(context);
	return lictor_ruleset_seal(draft->set, draft->rules, &draft->support, compiled,
				   generation);
}

int lictor_draft_install(struct lictor_draft *draft, struct lictor_engine *engine,
			 struct lictor_ruleset **ret_set)
{
	int error = lictor_engine_install(engine, draft->set->compiled);

	if (error)
		return error;
	/* The kernel has it now; what stays of a compiled set are its numbers and its atoms. */
	free(draft->set->compiled->image);
	draft->set->compiled->image = NULL;
	malloc_trim(0);
	*ret_set = TAKE(draft->set);
	return 0;
}
