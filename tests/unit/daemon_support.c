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
	return event == LICTOR_EVENT_READ ? LICTOR_ACTION_ALERT : LICTOR_ACTION_NONE;
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

/* At exec half of a kill is left, the signal; a block there is only told of. */
static void a_rule_is_parted(void **state)
{
	struct outcome out = apply((struct lictor_rule){ .events = BIT(EXEC) | BIT(CONNECT) |
								   BIT(BIND) | BIT(WRITE),
							 .action = LICTOR_ACTION_KILL },
				   false, true);

	(void)state;
	assert_int_equal(out.rules.rules, 3);
	assert_int_equal(out.rules.rule[0].action, LICTOR_ACTION_KILL);
	assert_int_equal(out.rules.rule[0].events, BIT(BIND));
	assert_int_equal(out.rules.rule[1].action, LICTOR_ACTION_BLOCK);
	assert_int_equal(out.rules.rule[1].events, BIT(CONNECT));
	assert_int_equal(out.rules.rule[2].action, LICTOR_ACTION_SIGNAL);
	assert_int_equal(out.rules.rule[2].signal, SIGKILL);
	assert_int_equal(out.rules.rule[2].events, BIT(EXEC));
	assert_int_equal(out.support.origin[2], 0);
	assert_string_equal(out.text, "exec: signal instead of kill (no LSM); write: not seen (no "
				      "LSM); connect: block instead of kill (no LSM)");
	drop(&out);
	out = apply((struct lictor_rule){ .events = BIT(EXEC), .action = LICTOR_ACTION_BLOCK },
		    false, true);
	assert_int_equal(out.rules.rule[0].action, LICTOR_ACTION_ALERT);
	assert_int_equal(out.rules.rule[0].signal, 0);
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
		cmocka_unit_test(monitoring),
		cmocka_unit_test(who_refuses),
		cmocka_unit_test(disabled_rules_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
