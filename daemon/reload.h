/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on disk -> an image in force: read, check, fit to the kernel, compile, install. */
#ifndef LICTOR_RELOAD_H
#define LICTOR_RELOAD_H

#include "daemon/config.h"
#include "daemon/engine.h"
#include "daemon/ruleset.h"
#include "daemon/support.h"

enum lictor_stage {
	LICTOR_STAGE_READ,	/* the rules are wrong: see diags */
	LICTOR_STAGE_SUPPORT,	/* -EOPNOTSUPP: the kernel can do less, and may not; see diags */
	LICTOR_STAGE_ANCHORS,
	LICTOR_STAGE_COMPILE,	/* a limit: see diags */
	LICTOR_STAGE_INSTALL,
};

struct lictor_draft;

/*
 * Everything short of the kernel's consent: from the directories that config names to rules. On
 * failure the stage is READ. diags is the caller's, and outlives the draft.
 */
int lictor_draft_read(const struct lictor_config *config, struct lictor_diags *diags,
		      struct lictor_draft **ret_draft);
void lictor_draft_free(struct lictor_draft *draft);
/*
 * Compiles what the engine can carry out, under the next generation; previous is the one in force
 * (NULL: there is none). breathe is called between the stages, which may take
 * seconds: the rings have to be drained meanwhile.
 */
int lictor_draft_compile(struct lictor_draft *draft, struct lictor_engine *engine,
			 const struct lictor_ruleset *previous, void (*breathe)(void *context),
			 void *context, enum lictor_stage *ret_stage);
/*
 * The rules' shortfalls on this kernel, one text a rule, with the first of the rule's; of no use
 * before compile. refused: only of rules that are.
 */
typedef void lictor_draft_tell(void *context, const struct lictor_shortfall *fall,
			       const char *text);
void lictor_draft_shortfalls(const struct lictor_draft *draft, bool refused,
			     lictor_draft_tell *tell, void *context);
/* Puts it in force and gives out what the daemon keeps of it. */
int lictor_draft_install(struct lictor_draft *draft, struct lictor_engine *engine,
			 struct lictor_ruleset **ret_set);
const char *lictor_draft_digest(const struct lictor_draft *draft);
/* For messages: what could not be done. */
const char *lictor_stage_text(enum lictor_stage stage);

#endif
