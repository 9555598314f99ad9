/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: between check and compile. In: checked rules, and the engine's word on what each event
 * allows. Out: rules that can be carried out as they stand, and the list of what they lost. May
 * touch: the rules.
 */
#include "daemon/support.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "daemon/own.h"

/* What the kernel can do, asked once. */
struct means {
	const struct lictor_engine *engine;
	enum lictor_action can[LICTOR_EVENTS];
	const char *why[LICTOR_EVENTS];
	size_t gaps;
	struct lictor_gap gap[LICTOR_GAPS_MAX];
};

static void ask(const struct lictor_engine *engine, struct means *means)
{
	int event;

	means->engine = engine;
	for (event = 0; event < LICTOR_EVENTS; event++) {
		means->why[event] = NULL;
		means->can[event] = lictor_engine_can(engine, event, &means->why[event]);
	}
	means->gaps = lictor_engine_gaps(engine, means->gap);
}

static bool monitors(const struct lictor_rule *rule, bool monitor)
{
	return rule->mode == LICTOR_MODE_MONITOR || (rule->mode == LICTOR_MODE_DEFAULT && monitor);
}

/*
 * The strongest that can be done of what is wanted. A denial is never replaced by a signal that
 * the rule did not name; a kill is, by the SIGKILL that is one half of it.
 */
static enum lictor_action given(enum lictor_action wanted, enum lictor_action can)
{
	/* What can deny and not kill, programs of control groups, cannot signal either. */
	if (can == LICTOR_ACTION_BLOCK && wanted == LICTOR_ACTION_SIGNAL)
		return LICTOR_ACTION_ALERT;
	if (can >= wanted)
		return wanted;
	if (can == LICTOR_ACTION_SIGNAL && wanted == LICTOR_ACTION_BLOCK)
		return LICTOR_ACTION_ALERT;
	return can;
}

/* What its author asks for decides, not what is left of it. */
static bool fails_closed(const struct lictor_rule *rule)
{
	if (rule->on_failure == LICTOR_FAILURE_DEFAULT)
		return rule->action >= LICTOR_ACTION_BLOCK;
	return rule->on_failure == LICTOR_FAILURE_CLOSED;
}

static bool refuses(const struct lictor_rule *rule, bool degrade)
{
	if (rule->on_unsupported == LICTOR_UNSUPPORTED_DEFAULT)
		return !degrade;
	return rule->on_unsupported == LICTOR_UNSUPPORTED_REFUSE;
}

/* ---- what one rule loses ---- */

/* A rule as it is looked at, event by event; list: NULL to count only. */
struct look {
	const struct lictor_rule *rule;
	const struct means *means;
	bool monitors;
	bool refuses;
	enum lictor_action given[LICTOR_EVENTS];
	struct lictor_shortfall template;
	struct lictor_shortfall *list;
	size_t shortfalls;
	size_t refused;
};

/* given: below what the rule asks for, it is refused unless it may be degraded. */
static void lose(struct look *look, int event, enum lictor_loss loss, const char *what,
		 const char *why, const struct lictor_predicate *predicate,
		 enum lictor_action given)
{
	struct lictor_shortfall fall = look->template;

	fall.event = event;
	fall.loss = loss;
	fall.what = what;
	fall.why = why ? why : "this kernel cannot";
	fall.given = given;
	fall.refused = given != look->rule->action && look->refuses;
	if (predicate)
		fall.place = predicate->place;
	if (look->list)
		look->list[look->shortfalls] = fall;
	look->shortfalls++;
	look->refused += fall.refused;
}

static const struct lictor_predicate *predicate_on(const struct lictor_block *block, int field)
{
	for (size_t i = 0; field && i < block->predicates; i++)
		if (block->predicate[i].field == field)
			return &block->predicate[i];
	return NULL;
}

/* Fields that are never known. False: the rule never matches. */
static bool look_at_fields(struct look *look, int event)
{
	const struct lictor_rule *rule = look->rule;
	const struct lictor_predicate *predicate;
	bool doubt = false;
	const char *why = NULL;

	for (size_t i = 0; i < rule->match.predicates; i++) {
		predicate = &rule->match.predicate[i];
		if (lictor_engine_knows(look->means->engine, event, predicate->field, &doubt, &why))
			continue;
		if (!doubt || !fails_closed(rule)) {
			lose(look, event, LICTOR_LOSS_ACTION, NULL, why, predicate,
			     LICTOR_ACTION_NONE);
			return false;
		}
		lose(look, event, LICTOR_LOSS_DOUBT, lictor_field_words[predicate->field].name, why,
		     predicate, rule->action);
	}
	for (size_t u = 0; u < rule->unlesses; u++)
		for (size_t i = 0; i < rule->unless[u].predicates; i++) {
			predicate = &rule->unless[u].predicate[i];
			if (!lictor_engine_knows(look->means->engine, event, predicate->field,
						 &doubt, &why))
				lose(look, event, LICTOR_LOSS_EXCEPTION,
				     lictor_field_words[predicate->field].name, why, predicate,
				     rule->action);
		}
	return true;
}

/* The values with which nothing of the event is seen. */
static uint64_t lost_values(const struct means *means, int event, int field)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < means->gaps; i++)
		if ((int)means->gap[i].event == event && means->gap[i].field == field)
			lost |= means->gap[i].lost;
	return lost;
}

/* Parts of the event that are not seen. False: the rule is about nothing else. */
static bool look_at_gaps(struct look *look, int event)
{
	const struct lictor_gap *gap = look->means->gap, *end = gap + look->means->gaps;
	bool never = false, lost;
	uint64_t values;

	for (; gap < end; gap++) {
		values = (int)gap->event == event ?
			lictor_rule_values(look->rule, event, gap->field) : 0;
		if (!(values & gap->values))
			continue;
		lost = !(values & ~lost_values(look->means, event, gap->field));
		lose(look, event, LICTOR_LOSS_PART, gap->what, gap->why,
		     predicate_on(&look->rule->match, gap->field),
		     lost ? LICTOR_ACTION_NONE : look->rule->action);
		never |= lost;
	}
	return !never;
}

/* What is given for the event: listed where it is less than the rule asks for. */
static enum lictor_action look_at_event(struct look *look, int event)
{
	const struct lictor_rule *rule = look->rule;
	enum lictor_action can = look->means->can[event], now = given(rule->action, can);

	if (can >= LICTOR_ACTION_ALERT) {
		if (!look_at_fields(look, event) || !look_at_gaps(look, event))
			return LICTOR_ACTION_NONE;
		if (look->monitors)
			now = rule->action;
	}
	if (now != rule->action)
		lose(look, event, LICTOR_LOSS_ACTION, NULL, look->means->why[event], NULL, now);
	/* The signal is how it kills; that nothing is denied is what has been listed. */
	return now == LICTOR_ACTION_SIGNAL ? rule->action : now;
}

static void look_at(const struct lictor_rule *rule, size_t index, const struct means *means,
		    bool monitor, bool degrade, struct lictor_shortfall *list, struct look *ret)
{
	*ret = (struct look){
		.rule = rule,
		.means = means,
		.monitors = monitors(rule, monitor),
		.refuses = refuses(rule, degrade),
		.template = { .rule = index, .name = rule->name, .place = rule->events_place,
			      .wanted = rule->action },
		.list = list,
	};
	for (int event = 0; rule->enabled && event < LICTOR_EVENTS; event++)
		if (rule->events & 1ull << event)
			ret->given[event] = look_at_event(ret, event);
}

/* ---- what is left of it ---- */

/* The events of the rule by what is done for them. Returns how many sorts there are. */
static size_t sort_events(const struct look *look, uint64_t events[LICTOR_ACTIONS])
{
	size_t sorts = 0, action;
	int event;

	memset(events, 0, LICTOR_ACTIONS * sizeof(events[0]));
	for (event = 0; event < LICTOR_EVENTS; event++)
		if (look->rule->events & 1ull << event)
			events[look->given[event]] |= 1ull << event;
	for (action = LICTOR_ACTION_ALERT; action < LICTOR_ACTIONS; action++)
		sorts += events[action] != 0;
	return sorts;
}

/* The parts of one rule, at least one: strongest action first. */
static size_t part(const struct look *look, struct lictor_rule *parts)
{
	uint64_t events[LICTOR_ACTIONS];
	size_t count = 0, action;

	if (!look->rule->enabled) {
		parts[0] = *look->rule;
		return 1;
	}
	sort_events(look, events);
	for (action = LICTOR_ACTIONS - 1; action >= LICTOR_ACTION_ALERT; action--) {
		if (!events[action])
			continue;
		parts[count] = *look->rule;
		parts[count].events = events[action];
		parts[count].action = (enum lictor_action)action;
		parts[count].on_failure = fails_closed(look->rule) ? LICTOR_FAILURE_CLOSED :
								     LICTOR_FAILURE_OPEN;
		count++;
	}
	if (count)
		return count;
	parts[0] = *look->rule;
	parts[0].enabled = false;
	return 1;
}

static size_t parts_of(const struct look *look)
{
	uint64_t events[LICTOR_ACTIONS];
	size_t sorts = look->rule->enabled ? sort_events(look, events) : 1;

	return sorts ? sorts : 1;
}

int lictor_support_apply(const struct lictor_engine *engine, bool monitor, bool degrade,
			 struct lictor_rules *rules, struct lictor_support *ret_support)
{
	struct lictor_support support = { 0 };
	struct lictor_shortfall *list;
	struct lictor_rule *parts;
	size_t total = 0, falls = 0, filled = 0, count, i;
	struct means means;
	struct look look;

	ask(engine, &means);
	for (i = 0; i < rules->rules; i++) {
		look_at(&rules->rule[i], i, &means, monitor, degrade, NULL, &look);
		total += parts_of(&look);
		falls += look.shortfalls;
	}
	parts = lictor_arena_get(rules->arena, (total + 1) * sizeof(*parts));
	list = lictor_arena_get(rules->arena, (falls + 1) * sizeof(*list));
	support.origin = lictor_arena_get(rules->arena, (total + 1) * sizeof(*support.origin));
	if (!parts || !list || !support.origin)
		return -ENOMEM;
	for (i = 0; i < rules->rules; i++) {
		look_at(&rules->rule[i], i, &means, monitor, degrade, &list[support.shortfalls],
			&look);
		support.shortfalls += look.shortfalls;
		support.refused += look.refused;
		count = part(&look, &parts[filled]);
		while (count--)
			support.origin[filled++] = i;
	}
	support.shortfall = list;
	rules->rule = parts;
	rules->rules = filled;
	*ret_support = support;
	return 0;
}

/* ---- told ---- */

static bool same_fate(const struct lictor_shortfall *a, const struct lictor_shortfall *b)
{
	return a->loss == b->loss && a->what == b->what && a->given == b->given &&
	       !strcmp(a->why, b->why);
}

/* The shortfall's event and all later ones that share its fate: "delete, link: only alert: WHY" */
static void print_fate(FILE *out, const struct lictor_shortfall *first,
		       const struct lictor_shortfall *end, const char *between)
{
	static const char *const losses[] = {
#define X(id, text) [LICTOR_LOSS_##id] = text,
		LICTOR_LOSS_TABLE(X)
#undef X
	};
	const struct lictor_shortfall *fall;

	fprintf(out, "%s%s", between, lictor_event_words[first->event].name);
	for (fall = first + 1; fall < end && fall->rule == first->rule; fall++)
		if (same_fate(fall, first))
			fprintf(out, ", %s", lictor_event_words[fall->event].name);
	if (first->loss != LICTOR_LOSS_ACTION)
		fprintf(out, ": %s%s", first->what, losses[first->loss]);
	else if (first->given == LICTOR_ACTION_NONE)
		fprintf(out, ": not seen");
	else
		fprintf(out, ": %s instead of %s", lictor_action_words[first->given],
			lictor_action_words[first->wanted]);
	fprintf(out, " (%s)", first->why);
}

static bool told_before(const struct lictor_shortfall *first, const struct lictor_shortfall *fall)
{
	for (; first < fall; first++)
		if (same_fate(first, fall))
			return true;
	return false;
}

char *lictor_support_text(const struct lictor_support *support, size_t rule,
			  struct lictor_arena *arena)
{
	const struct lictor_shortfall *fall = support->shortfall, *first;
	const struct lictor_shortfall *end = fall + support->shortfalls;
	char *text OWN(own_free) = NULL;
	size_t length = 0;
	FILE *out;

	while (fall < end && fall->rule != rule)
		fall++;
	if (fall == end)
		return NULL;
	out = open_memstream(&text, &length);
	if (!out)
		return NULL;
	for (first = fall; fall < end && fall->rule == rule; fall++)
		if (!told_before(first, fall))
			print_fate(out, fall, end, fall == first ? "" : "; ");
	fclose(out);
	return text ? lictor_arena_text(arena, text, length) : NULL;
}

/* A hook that another version of the kernel has is looked for in vain, which is no fault. */
const char *lictor_support_hook(const struct lictor_hook_state *hook)
{
	int error = abs(hook->error);

	if (!error)
		return NULL;
	return error == ENOENT || error == ESRCH ? LICTOR_HOOK_MISSING : strerror(error);
}
