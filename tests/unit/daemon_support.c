/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of rules on a kernel that can do less than they ask. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka last of these: it needs them */
#include <cmocka.h>

#include "daemon/support.h"

#define BIT(event) (1ull << LICTOR_EVENT_##event)

/* The kernel of these tests: exec can be signalled, connect blocked, bind killed, read seen. */
enum lictor_action lictor_engine_can(const struct lictor_engine *engine, enum lictor_event event,
				     const char **ret_why)
{
	(void)engine;
	*ret_why = "no LSM";
	if (event == LICTOR_EVENT_EXEC)
		return LICTOR_ACTION_SIGNAL;
	if (event == LICTOR_EVENT_CONNECT)
		return LICTOR_ACTION_BLOCK;
	if (event == LICTOR_EVENT_BIND)
		return LICTOR_ACTION_KILL;
	if (event == LICTOR_EVENT_MOUNT || event == LICTOR_EVENT_SIGNAL)
		return LICTOR_ACTION_SIGNAL;
	if (event == LICTOR_EVENT_NAMESPACE || event == LICTOR_EVENT_PERF)
		return LICTOR_ACTION_KILL;
	if (event == LICTOR_EVENT_READ || event == LICTOR_EVENT_STAT)
		return LICTOR_ACTION_ALERT;
	return LICTOR_ACTION_NONE;
}

/* Numbers as in rules/vocab.tab. */
enum { MOUNT_BIND = 1, MOUNT_CLONE = 6, MOUNT_ATTRIBUTES };
enum { NAMESPACE_NET = 3, NAMESPACE_USER = 6 };

/* Of mount two parts are not seen; of namespaces some ways into them. */
size_t lictor_engine_gaps(const struct lictor_engine *engine, struct lictor_gap *ret_gap)
{
	static const struct lictor_gap gaps[] = {
		{ LICTOR_EVENT_MOUNT, LICTOR_FIELD_MOUNT_OPERATION, 1ull << MOUNT_CLONE,
		  1ull << MOUNT_CLONE, "clones", "no function" },
		{ LICTOR_EVENT_MOUNT, LICTOR_FIELD_MOUNT_OPERATION, 1ull << MOUNT_ATTRIBUTES,
		  1ull << MOUNT_ATTRIBUTES, "attributes", "no function" },
		{ LICTOR_EVENT_NAMESPACE, LICTOR_FIELD_NAMESPACE_TYPES, ~(1ull << NAMESPACE_USER),
		  0, "unshare", "no function" },
		{ LICTOR_EVENT_STAT, LICTOR_FIELD_NONE, ~0ull, 0, "askers within", "no function" },
	};

	(void)engine;
	memcpy(ret_gap, gaps, sizeof(gaps));
	return sizeof(gaps) / sizeof(*gaps);
}

/* A signal's target is never known; of perf's type at least those rules hold that fail closed. */
bool lictor_engine_knows(const struct lictor_engine *engine, enum lictor_event event, int field,
			 bool *ret_doubt, const char **ret_why)
{
	(void)engine;
	*ret_doubt = event == LICTOR_EVENT_PERF;
	*ret_why = "nobody knows";
	return field != LICTOR_FIELD_TARGET_EXECUTABLE && field != LICTOR_FIELD_PERF_TYPE;
}

struct outcome {
	struct lictor_rules rules;
	struct lictor_support support;
	char *text;
};

static struct outcome apply(struct lictor_rule rule, bool monitor, bool degrade)
{
	struct outcome out = { .rules.arena = lictor_arena_new(), .rules.rules = 1 };

	rule.name = "r";
	rule.enabled = true;
	out.rules.rule = lictor_arena_get(out.rules.arena, sizeof(rule));
	out.rules.rule[0] = rule;
	assert_int_equal(lictor_support_apply(NULL, monitor, degrade, &out.rules, &out.support), 0);
	out.text = lictor_support_text(&out.support, 0, out.rules.arena);
	return out;
}

static void drop(struct outcome *out)
{
	lictor_arena_free(out->rules.arena);
}

static void enough(void **state)
{
	struct outcome out = apply((struct lictor_rule){ .events = BIT(CONNECT) | BIT(BIND),
							 .action = LICTOR_ACTION_BLOCK },
				   false, false);

	(void)state;
	assert_int_equal(out.support.shortfalls, 0);
	assert_int_equal(out.rules.rules, 1);
	assert_int_equal(out.rules.rule[0].events, BIT(CONNECT) | BIT(BIND));
	assert_int_equal(out.rules.rule[0].action, LICTOR_ACTION_BLOCK);
	assert_null(out.text);
	drop(&out);
}

static void unseen_event_leaves(void **state)
{
	struct outcome out = apply((struct lictor_rule){ .events = BIT(READ) | BIT(WRITE) |
								   BIT(LINK),
							 .action = LICTOR_ACTION_ALERT },
				   false, true);

	(void)state;
	assert_int_equal(out.rules.rules, 1);
	assert_true(out.rules.rule[0].enabled);
	assert_int_equal(out.rules.rule[0].events, BIT(READ));
	assert_int_equal(out.support.shortfalls, 2);
	assert_int_equal(out.support.refused, 0);
	assert_string_equal(out.text, "write, link: not seen (no LSM)");
	drop(&out);
}

static void unseen_rule_is_left_out(void **state)
{
	struct outcome out = apply((struct lictor_rule){ .events = BIT(WRITE),
							 .action = LICTOR_ACTION_KILL },
				   false, true);

	(void)state;
	assert_int_equal(out.rules.rules, 1);
	assert_false(out.rules.rule[0].enabled);
	assert_int_equal(out.support.origin[0], 0);
	drop(&out);
}

/*
 * At exec half of a kill is left, the signal, by which it goes on to be a kill; a block there is only
 * told of.
 */
static void a_rule_is_parted(void **state)
{
	struct outcome out = apply((struct lictor_rule){ .events = BIT(EXEC) | BIT(CONNECT) |
								   BIT(BIND) | BIT(WRITE),
							 .action = LICTOR_ACTION_KILL },
				   false, true);

	(void)state;
	assert_int_equal(out.rules.rules, 2);
	assert_int_equal(out.rules.rule[0].action, LICTOR_ACTION_KILL);
	assert_int_equal(out.rules.rule[0].events, BIT(EXEC) | BIT(BIND));
	assert_int_equal(out.rules.rule[1].action, LICTOR_ACTION_BLOCK);
	assert_int_equal(out.rules.rule[1].events, BIT(CONNECT));
	assert_int_equal(out.support.origin[1], 0);
	assert_string_equal(out.text, "exec: signal instead of kill (no LSM); write: not seen (no "
				      "LSM); connect: block instead of kill (no LSM)");
	drop(&out);
	out = apply((struct lictor_rule){ .events = BIT(EXEC), .action = LICTOR_ACTION_BLOCK },
		    false, true);
	assert_int_equal(out.rules.rule[0].action, LICTOR_ACTION_ALERT);
	drop(&out);
	out = apply((struct lictor_rule){ .events = BIT(EXEC), .action = LICTOR_ACTION_SIGNAL,
					  .signal = SIGTERM },
		    false, true);
	assert_int_equal(out.support.shortfalls, 0);
	assert_int_equal(out.rules.rule[0].action, LICTOR_ACTION_SIGNAL);
	assert_int_equal(out.rules.rule[0].signal, SIGTERM);
	drop(&out);
}

/* A block that is only told of is told of in doubt too, unless its author would have it otherwise. */
static void what_is_left_fails_as_written(void **state)
{
	static const struct {
		enum lictor_action action;
		enum lictor_failure written, left;
	} cases[] = {
		{ LICTOR_ACTION_BLOCK, LICTOR_FAILURE_DEFAULT, LICTOR_FAILURE_CLOSED },
		{ LICTOR_ACTION_BLOCK, LICTOR_FAILURE_OPEN, LICTOR_FAILURE_OPEN },
		{ LICTOR_ACTION_KILL, LICTOR_FAILURE_DEFAULT, LICTOR_FAILURE_CLOSED },
		{ LICTOR_ACTION_ALERT, LICTOR_FAILURE_DEFAULT, LICTOR_FAILURE_OPEN },
		{ LICTOR_ACTION_ALERT, LICTOR_FAILURE_CLOSED, LICTOR_FAILURE_CLOSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct outcome out = apply((struct lictor_rule){ .events = BIT(EXEC),
								 .action = cases[i].action,
								 .on_failure = cases[i].written },
					   false, true);

		assert_int_equal(out.rules.rule[0].on_failure, cases[i].left);
		drop(&out);
	}
}

/* ---- parts of events, and fields ---- */

static struct outcome apply_on(int event, enum lictor_action action, int field, uint32_t first,
			       uint32_t second, bool exception)
{
	const struct lictor_value value[] = {
		{ .range = { first, first } }, { .range = { second, second } },
	};
	const struct lictor_predicate predicate = {
		.place = { 0, 7, 9, 1 }, .field = field, .values = 2, .value = value,
	};
	const struct lictor_block block = { .predicates = 1, .predicate = &predicate };
	struct lictor_rule rule = { .events = 1ull << event, .action = action };

	if (exception) {
		rule.unlesses = 1;
		rule.unless = &block;
	} else {
		rule.match = block;
	}
	return apply(rule, false, false);
}

static void a_part_that_is_not_seen(void **state)
{
	struct outcome out = apply_on(LICTOR_EVENT_MOUNT, LICTOR_ACTION_ALERT,
				      LICTOR_FIELD_MOUNT_OPERATION, MOUNT_CLONE, MOUNT_ATTRIBUTES,
				      false);

	(void)state;
	assert_false(out.rules.rule[0].enabled);
	assert_int_equal(out.support.refused, 2);
	assert_int_equal(out.support.shortfall[0].given, LICTOR_ACTION_NONE);
	assert_int_equal(out.support.shortfall[0].place.line, 7);
	assert_string_equal(out.text, "mount: clones not seen (no function); mount: attributes not "
				      "seen (no function)");
	drop(&out);
	/* With the rest it is only told. */
	out = apply_on(LICTOR_EVENT_MOUNT, LICTOR_ACTION_ALERT, LICTOR_FIELD_MOUNT_OPERATION,
		       MOUNT_CLONE, MOUNT_BIND, false);
	assert_true(out.rules.rule[0].enabled);
	assert_int_equal(out.support.refused, 0);
	assert_string_equal(out.text, "mount: clones not seen (no function)");
	drop(&out);
	out = apply_on(LICTOR_EVENT_MOUNT, LICTOR_ACTION_ALERT, LICTOR_FIELD_MOUNT_OPERATION,
		       MOUNT_BIND, MOUNT_BIND, false);
	assert_null(out.text);
	drop(&out);
	/* Excepted from the rule it is not missed. */
	out = apply_on(LICTOR_EVENT_MOUNT, LICTOR_ACTION_ALERT, LICTOR_FIELD_MOUNT_OPERATION,
		       MOUNT_CLONE, MOUNT_ATTRIBUTES, true);
	assert_null(out.text);
	drop(&out);
}

/* What is lost of the action is refused, and what else is lost is said along with it. */
static void a_part_and_the_action(void **state)
{
	struct outcome out = apply_on(LICTOR_EVENT_MOUNT, LICTOR_ACTION_BLOCK,
				      LICTOR_FIELD_MOUNT_OPERATION, MOUNT_CLONE, MOUNT_BIND, false);

	(void)state;
	assert_int_equal(out.support.refused, 1);
	assert_false(out.support.shortfall[0].refused);
	assert_string_equal(out.text, "mount: clones not seen (no function); mount: alert instead "
				      "of block (no LSM)");
	drop(&out);
}

static void a_part_without_values_of_its_own(void **state)
{
	struct outcome out = apply_on(LICTOR_EVENT_NAMESPACE, LICTOR_ACTION_KILL,
				      LICTOR_FIELD_NAMESPACE_TYPES, NAMESPACE_NET, NAMESPACE_NET,
				      false);

	(void)state;
	assert_true(out.rules.rule[0].enabled);
	assert_int_equal(out.support.refused, 0);
	assert_string_equal(out.text, "namespace: unshare not seen (no function)");
	drop(&out);
	out = apply_on(LICTOR_EVENT_NAMESPACE, LICTOR_ACTION_KILL, LICTOR_FIELD_NAMESPACE_TYPES,
		       NAMESPACE_USER, NAMESPACE_USER, false);
	assert_null(out.text);
	drop(&out);
	out = apply((struct lictor_rule){ .events = BIT(STAT), .action = LICTOR_ACTION_ALERT },
		    false, false);
	assert_int_equal(out.rules.rule[0].events, BIT(STAT));
	assert_string_equal(out.text, "stat: askers within not seen (no function)");
	drop(&out);
}

static void a_field_that_is_never_known(void **state)
{
	struct outcome out = apply_on(LICTOR_EVENT_SIGNAL, LICTOR_ACTION_KILL,
				      LICTOR_FIELD_TARGET_EXECUTABLE, 0, 0, false);

	(void)state;
	assert_false(out.rules.rule[0].enabled);
	assert_int_equal(out.support.refused, 1);
	assert_int_equal(out.support.shortfall[0].place.column, 9);
	assert_string_equal(out.text, "signal: not seen (nobody knows)");
	drop(&out);
	out = apply_on(LICTOR_EVENT_SIGNAL, LICTOR_ACTION_ALERT, LICTOR_FIELD_TARGET_EXECUTABLE, 0,
		       0, true);
	assert_true(out.rules.rule[0].enabled);
	assert_int_equal(out.support.refused, 0);
	assert_string_equal(out.text, "signal: target.executable not known, so that exceptions by "
				      "it do not hold (nobody knows)");
	drop(&out);
	/* Who fails closed holds in doubt; who fails open never does. */
	out = apply_on(LICTOR_EVENT_PERF, LICTOR_ACTION_BLOCK, LICTOR_FIELD_PERF_TYPE, 0, 0, false);
	assert_true(out.rules.rule[0].enabled);
	assert_int_equal(out.support.refused, 0);
	assert_string_equal(out.text, "perf: perf.type not known, so that the rule holds (nobody "
				      "knows)");
	drop(&out);
	out = apply_on(LICTOR_EVENT_PERF, LICTOR_ACTION_ALERT, LICTOR_FIELD_PERF_TYPE, 0, 0, false);
	assert_int_equal(out.support.refused, 1);
	assert_string_equal(out.text, "perf: not seen (nobody knows)");
	drop(&out);
}

/* Who only monitors has to see, not to act. */
static void monitoring(void **state)
{
	struct lictor_rule rule = { .events = BIT(EXEC) | BIT(READ), .action = LICTOR_ACTION_KILL };
	struct outcome out = apply(rule, true, false);

	(void)state;
	assert_int_equal(out.support.shortfalls, 0);
	assert_int_equal(out.rules.rule[0].action, LICTOR_ACTION_KILL);
	drop(&out);
	rule.mode = LICTOR_MODE_ENFORCE;
	out = apply(rule, true, false);
	assert_int_equal(out.support.refused, 2);
	drop(&out);
	rule.mode = LICTOR_MODE_MONITOR;
	out = apply(rule, false, false);
	assert_int_equal(out.support.shortfalls, 0);
	drop(&out);
	rule.events = BIT(WRITE);
	out = apply(rule, false, false);
	assert_int_equal(out.support.refused, 1);
	drop(&out);
}

static void who_refuses(void **state)
{
	struct lictor_rule rule = { .events = BIT(WRITE), .action = LICTOR_ACTION_BLOCK };
	struct outcome out = apply(rule, false, false);

	(void)state;
	assert_int_equal(out.support.refused, 1);
	assert_true(out.support.shortfall[0].refused);
	drop(&out);
	rule.on_unsupported = LICTOR_UNSUPPORTED_DEGRADE;
	out = apply(rule, false, false);
	assert_int_equal(out.support.refused, 0);
	drop(&out);
	rule.on_unsupported = LICTOR_UNSUPPORTED_REFUSE;
	out = apply(rule, false, true);
	assert_int_equal(out.support.refused, 1);
	drop(&out);
}

static void disabled_rules_stay(void **state)
{
	struct lictor_rules rules = { .arena = lictor_arena_new(), .rules = 2 };
	struct lictor_support support;

	(void)state;
	rules.rule = lictor_arena_get(rules.arena, 2 * sizeof(*rules.rule));
	rules.rule[0] = (struct lictor_rule){ .name = "a", .events = BIT(WRITE),
					      .action = LICTOR_ACTION_KILL };
	rules.rule[1] = (struct lictor_rule){ .name = "b", .events = BIT(BIND),
					      .action = LICTOR_ACTION_KILL, .enabled = true };
	assert_int_equal(lictor_support_apply(NULL, false, false, &rules, &support), 0);
	assert_int_equal(support.shortfalls, 0);
	assert_int_equal(rules.rules, 2);
	assert_false(rules.rule[0].enabled);
	assert_string_equal(rules.rule[1].name, "b");
	assert_int_equal(support.origin[1], 1);
	lictor_arena_free(rules.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enough),
		cmocka_unit_test(unseen_event_leaves),
		cmocka_unit_test(unseen_rule_is_left_out),
		cmocka_unit_test(a_rule_is_parted),
		cmocka_unit_test(what_is_left_fails_as_written),
		cmocka_unit_test(a_part_that_is_not_seen),
		cmocka_unit_test(a_part_and_the_action),
		cmocka_unit_test(a_part_without_values_of_its_own),
		cmocka_unit_test(a_field_that_is_never_known),
		cmocka_unit_test(monitoring),
		cmocka_unit_test(who_refuses),
		cmocka_unit_test(disabled_rules_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
