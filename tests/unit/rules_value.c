/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values: what each type makes of a text. Golden files show what is refused. Touches nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/check.h"

static struct lictor_diags *diags;
static struct lictor_rules *rules;

static int (*host_user)(const char *name, uint32_t *ret_number);
static int (*host_group)(const char *name, uint32_t *ret_number);
static int lookups;

static int user(const char *name, uint32_t *ret_number)
{
	lookups++;
	*ret_number = 1000;
	return strcmp(name, "alice") ? -ENOENT : 0;
}

static void done(void)
{
	lictor_rules_free(rules);
	lictor_diags_free(diags);
	rules = NULL;
}

static void read_rules(const char *text)
{
	char name[] = "dir/some.rules.yaml", *copy = strdup(text);
	struct lictor_source source = { .name = name, .text = copy, .length = strlen(text) };

	diags = lictor_diags_new();
	if (lictor_rules_read_text(1, &source, diags, &rules)) {
		lictor_diags_print(diags, stderr);
		fail();
	}
	free(copy);
}

/* The first value of the first field of a rule with this match. */
static const struct lictor_value *read_value(const char *on, const char *field, const char *value)
{
	char text[512];

	snprintf(text, sizeof(text), "rules: [{name: a, on: %s, action: alert, match: {%s: %s}}]",
		 on, field, value);
	read_rules(text);
	assert_int_equal(rules->rule[0].match.predicates, 1);
	return rules->rule[0].match.predicate[0].value;
}

static void expect_range(const char *field, const char *text, uint32_t low, uint32_t high)
{
	const struct lictor_value *value = read_value("write", field, text);

	assert_int_equal(value->range.low, low);
	assert_int_equal(value->range.high, high);
	done();
}

static void test_ranges(void **state)
{
	(void)state;
	expect_range("process.pid", "7", 7, 7);
	expect_range("process.pid", "'7-9'", 7, 9);
	expect_range("process.pid", "0-4294967295", 0, UINT32_MAX);
	expect_range("user.name", "alice", 1000, 1000);
	expect_range("user.name", "5", 5, 5);
	expect_range("file.memfd", "true", 1, 1);
	expect_range("file.memfd", "'false'", 0, 0);
	expect_range("file.type", "socket", 6, 6);
	expect_range("file.flags", "truncate", 8, 8);
}

static void test_modes(void **state)
{
	static const struct { const char *text; unsigned bits; char op; } modes[] = {
		{ "0644", 0644, '=' }, { "-4000", 04000, '-' }, { "/6000", 06000, '/' },
		{ "755", 0755, '=' } };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct lictor_value *value = read_value("chmod", "file.mode", modes[i].text);

		assert_int_equal(value->mode.bits, modes[i].bits);
		assert_int_equal(value->mode.op, modes[i].op);
		done();
	}
}

static void expect_address(const char *text, const char *first, const char *last)
{
	const struct lictor_value *value = read_value("connect", "destination.ip", text);
	char hex[2][33];

	for (int i = 0; i < 16; i++) {
		snprintf(hex[0] + 2 * i, 3, "%02x", value->address.first[i]);
		snprintf(hex[1] + 2 * i, 3, "%02x", value->address.last[i]);
	}
	assert_string_equal(hex[0], first);
	assert_string_equal(hex[1], last);
	done();
}

static void test_addresses(void **state)
{
	(void)state;
	expect_address("10.1.2.3", "00000000000000000000ffff0a010203",
		       "00000000000000000000ffff0a010203");
	expect_address("10.1.2.0/23", "00000000000000000000ffff0a010200",
		       "00000000000000000000ffff0a0103ff");
	expect_address("'::ffff:10.0.0.0/104'", "00000000000000000000ffff0a000000",
		       "00000000000000000000ffff0affffff");
	expect_address("0.0.0.0/0", "00000000000000000000ffff00000000",
		       "00000000000000000000ffffffffffff");
	expect_address("'2001:db8::/33'", "20010db8000000000000000000000000",
		       "20010db87fffffffffffffffffffffff");
	expect_address("'::/0'", "00000000000000000000000000000000",
		       "ffffffffffffffffffffffffffffffff");
}

static void test_names_are_asked_for_once(void **state)
{
	(void)state;
	lookups = 0;
	read_rules("rules: [{name: a, on: exec, action: alert, match: {user.name: [alice, alice], "
		   "user.effective.name: alice}}]");
	assert_int_equal(lookups, 1);
	done();
}

static void test_lists_are_shared(void **state)
{
	const struct lictor_rule *a, *b;

	(void)state;
	read_rules("lists: {l: [/a, /b]}\nrules:\n"
		   "- {name: a, on: exec, action: alert, match: {file.path: $l}}\n"
		   "- {name: b, on: exec, action: kill, match: {process.executable: {not: $l}}}\n");
	a = &rules->rule[0];
	b = &rules->rule[1];
	assert_ptr_equal(a->match.predicate->value, b->match.predicate->value);
	assert_int_equal(a->match.predicate->values, 2);
	assert_true(b->match.predicate->negated);
	assert_int_equal(a->match.predicate->value[1].place.line, 1);
	assert_int_equal(a->match.predicate->value[1].place.column, 17);
	done();
}

static void test_rule(void **state)
{
	const struct lictor_rule *rule;

	(void)state;
	read_rules("rules: [{name: a, on: modify, action: {signal: SIGSTOP}}]\n"
		   "overrides: [{rule: a, severity: critical, unless: {process.pid: 1}}]");
	rule = &rules->rule[0];
	assert_string_equal(rule->ruleset, "some.rules");
	assert_true(rule->events == lictor_event_set("modify"));
	assert_int_equal(rule->action, LICTOR_ACTION_SIGNAL);
	assert_int_equal(rule->signal, 19);
	assert_int_equal(rule->severity, 2);
	assert_int_equal(rule->limit_count, 20);
	assert_int_equal(rule->limit_period, 60);
	assert_int_equal(rule->mode, LICTOR_MODE_DEFAULT);
	assert_int_equal(rule->overrides, 1);
	assert_int_equal(rule->override[0].line, 2);
	assert_int_equal(rule->unlesses, 1);
	assert_int_equal(rule->match.predicates, 0);
	assert_int_equal(rule->place.column, 16);
	assert_true(rule->enabled);
	done();
}

static void test_the_hosts_names(void **state)
{
	uint32_t number = 1;

	(void)state;
	assert_int_equal(host_user("root", &number), 0);
	assert_int_equal(number, 0);
	assert_int_equal(host_group("root", &number), 0);
	assert_int_equal(host_user("no-such-user-here", &number), -ENOENT);
	assert_int_equal(host_group("no-such-group-here", &number), -ENOENT);
}

static void test_too_large_a_text(void **state)
{
	char name[] = "large.yaml";
	struct lictor_source source = { .name = name, .length = (16 << 20) + 1 };

	(void)state;
	source.text = calloc(1, source.length);
	diags = lictor_diags_new();
	assert_int_equal(lictor_rules_read_text(1, &source, diags, &rules), -EINVAL);
	free(source.text);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges),		 cmocka_unit_test(test_modes),
		cmocka_unit_test(test_addresses),	 cmocka_unit_test(test_rule),
		cmocka_unit_test(test_lists_are_shared),
		cmocka_unit_test(test_names_are_asked_for_once),
		cmocka_unit_test(test_the_hosts_names),
		cmocka_unit_test(test_too_large_a_text),
	};

	host_user = lictor_user_lookup;
	host_group = lictor_group_lookup;
	lictor_user_lookup = user;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
