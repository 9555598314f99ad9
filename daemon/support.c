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

/* What the kernel can do, asked once for each event. */
struct means {
	enum lictor_action can[LICTOR_EVENTS];
	const char *why[LICTOR_EVENTS];
};

static void ask(const struct lictor_engine *engine, struct means *means)
{
	int event;

	for (event = 0; event < LICTOR_EVENTS; event++) {
		means->why[event] = NULL;
		means->can[event] = lictor_engine_can(engine, event, &means->why[event]);
	}
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

static enum lictor_action given_rule(const struct lictor_rule *rule, const struct means *means,
				     int event, bool monitor)
{
	if (means->can[event] >= LICTOR_ACTION_ALERT && monitors(rule, monitor))
		return rule->action;
	return given(rule->action, means->can[event]);
}

/* The events of the rule by what is given for them. Returns how many sorts there are. */
static size_t sort_events(const struct lictor_rule *rule, const struct means *means, bool monitor,
			  uint64_t events[LICTOR_ACTIONS])
{
	size_t sorts = 0, action;
	int event;

	memset(events, 0, LICTOR_ACTIONS * sizeof(events[0]));
	for (event = 0; event < LICTOR_EVENTS; event++)
		if (rule->events & 1ull << event)
			events[given_rule(rule, means, event, monitor)] |= 1ull << event;
	for (action = LICTOR_ACTION_ALERT; action < LICTOR_ACTIONS; action++)
		sorts += events[action] != 0;
	return sorts;
}

static bool refuses(const struct lictor_rule *rule, bool degrade)
{
	if (rule->on_unsupported == LICTOR_UNSUPPORTED_DEFAULT)
		return !degrade;
	return rule->on_unsupported == LICTOR_UNSUPPORTED_REFUSE;
}

static void list_shortfalls(const struct lictor_rule *rule, size_t index,
			    const struct means *means, bool monitor, bool degrade,
			    struct lictor_shortfall *list, struct lictor_support *support)
{
	enum lictor_action now;
	int event;

	for (event = 0; event < LICTOR_EVENTS; event++) {
		if (!(rule->events & 1ull << event))
			continue;
		now = given_rule(rule, means, event, monitor);
		if (now == rule->action)
			continue;
		support->refused += refuses(rule, degrade);
		list[support->shortfalls++] = (struct lictor_shortfall){
			.rule = index,
			.name = rule->name,
			.place = rule->events_place,
			.event = event,
			.wanted = rule->action,
			.given = now,
			.refused = refuses(rule, degrade),
			.why = means->why[event] ? means->why[event] : "this kernel cannot",
		};
	}
}

/* The parts of one rule, at least one: strongest action first. */
static size_t part(const struct lictor_rule *rule, const uint64_t events[LICTOR_ACTIONS],
		   struct lictor_rule *parts)
{
	size_t count = 0, action;

	for (action = LICTOR_ACTIONS - 1; action >= LICTOR_ACTION_ALERT; action--) {
		if (!events[action])
			continue;
		parts[count] = *rule;
		parts[count].events = events[action];
		parts[count].action = (enum lictor_action)action;
		if (action == LICTOR_ACTION_SIGNAL && rule->action == LICTOR_ACTION_KILL)
			parts[count].signal = SIGKILL;
		count++;
	}
	if (count)
		return count;
	parts[0] = *rule;
	parts[0].enabled = false;
	return 1;
}

static size_t parts_of(const struct lictor_rule *rule, const struct means *means, bool monitor)
{
	uint64_t events[LICTOR_ACTIONS];
	size_t sorts = rule->enabled ? sort_events(rule, means, monitor, events) : 1;

	return sorts ? sorts : 1;
}

int lictor_support_apply(const struct lictor_engine *engine, bool monitor, bool degrade,
			 struct lictor_rules *rules, struct lictor_support *ret_support)
{
	struct lictor_support support = { 0 };
	struct lictor_shortfall *list;
	uint64_t events[LICTOR_ACTIONS];
	struct lictor_rule *parts;
	size_t total = 0, falls = 0, filled = 0, count, i;
	struct means means;

	ask(engine, &means);
	for (i = 0; i < rules->rules; i++) {
		total += parts_of(&rules->rule[i], &means, monitor);
		falls += (size_t)__builtin_popcountll(rules->rule[i].events);
	}
	parts = lictor_arena_get(rules->arena, (total + 1) * sizeof(*parts));
	list = lictor_arena_get(rules->arena, (falls + 1) * sizeof(*list));
	support.origin = lictor_arena_get(rules->arena, (total + 1) * sizeof(*support.origin));
	if (!parts || !list || !support.origin)
		return -ENOMEM;
	for (i = 0; i < rules->rules; i++) {
		count = 1;
		if (rules->rule[i].enabled) {
			list_shortfalls(&rules->rule[i], i, &means, monitor, degrade, list,
					&support);
			sort_events(&rules->rule[i], &means, monitor, events);
			count = part(&rules->rule[i], events, &parts[filled]);
		} else {
			parts[filled] = rules->rule[i];
		}
		while (count--)
			support.origin[filled++] = i;
	}
	support.shortfall = list;
	rules->rule = parts;
	rules->rules = filled;
	*ret_support = support;
	return 0;
}

static bool same_fate(const struct lictor_shortfall *a, const struct lictor_shortfall *b)
{
	return a->given == b->given && !strcmp(a->why, b->why);
}

/* The shortfall's event and all later ones that share its fate: "delete, link: only alert: WHY" */
static void print_fate(FILE *out, const struct lictor_shortfall *first,
		       const struct lictor_shortfall *end, const char *between)
{
	const struct lictor_shortfall *fall;

	fprintf(out, "%s%s", between, lictor_event_words[first->event].name);
	for (fall = first + 1; fall < end && fall->rule == first->rule; fall++)
		if (same_fate(fall, first))
			fprintf(out, ", %s", lictor_event_words[fall->event].name);
	if (first->given == LICTOR_ACTION_NONE)
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
