/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much fits, how long it takes, and what is said where it does not fit: each limit is an error
 * that names it and the rule. Times are printed; what is asserted leaves room for slow machines.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "rules/host.h"
#include "rules/rules.h"

/* ---- a rule set in the making ---- */

struct made {
	struct lictor_arena *arena;
	struct lictor_rules rules;
	size_t room;
	struct lictor_diags *diags;
	struct lictor_compiled *compiled;
	double seconds;
};

static void *get(struct made *made, size_t size)
{
	void *memory = lictor_arena_get(made->arena, size ? size : 1);

	assert_non_null(memory);
	return memory;
}

static void begin(struct made *made, size_t rules)
{
	*made = (struct made){
		.arena = lictor_arena_new(), .room = rules, .diags = lictor_diags_new() };
	assert_non_null(made->arena);
	made->rules.rule = get(made, rules * sizeof(*made->rules.rule));
}

static void end(struct made *made)
{
	lictor_compiled_free(made->compiled);
	lictor_diags_free(made->diags);
	lictor_arena_free(made->arena);
}

static const char *text_of(struct made *made, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static const char *text_of(struct made *made, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return lictor_arena_text(made->arena, text, strlen(text));
}

static struct lictor_block block_of(struct made *made, int field, size_t values,
				    const struct lictor_value *value)
{
	struct lictor_predicate *predicate = get(made, sizeof(*predicate));

	*predicate = (struct lictor_predicate){ .field = field, .values = values, .value = value };
	return (struct lictor_block){ .predicates = 1, .predicate = predicate };
}

static struct lictor_rule *add_rule(struct made *made, int event, int field, size_t values,
				    const struct lictor_value *value)
{
	struct lictor_rule *rule = &made->rules.rule[made->rules.rules++];

	assert_true(made->rules.rules <= made->room);
	*rule = (struct lictor_rule){
		.name = text_of(made, "rule-%zu", made->rules.rules), .enabled = true,
		.events = 1ull << event, .action = LICTOR_ACTION_ALERT,
		.match = block_of(made, field, values, value),
	};
	return rule;
}

static struct lictor_rule *add_pattern(struct made *made, const char *pattern)
{
	struct lictor_value *value = get(made, sizeof(*value));

	value->text = pattern;
	return add_rule(made, LICTOR_EVENT_WRITE, LICTOR_FIELD_FILE_PATH, 1, value);
}

static int compile(struct made *made, const char *what)
{
	struct timespec from, to;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &from);
	r = lictor_compile(&made->rules, 0, NULL, false, 1, 42, NULL, made->diags, &made->compiled);
	clock_gettime(CLOCK_MONOTONIC, &to);
	made->seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	if (r == 0)
		printf("%s: %.3f s, %zu states, %u MiB\n", what, made->seconds,
		       made->compiled->states, made->compiled->pages);
	else
		printf("%s: %.3f s, refused: %s\n", what, made->seconds,
		       made->diags->count ? made->diags->diag[0].text : "without a word");
	return r;
}

static void expect_error(const struct made *made, const char *rule, const char *limit)
{
	assert_int_equal(made->diags->errors, 1);
	if (!strstr(made->diags->diag[0].text, rule) || !strstr(made->diags->diag[0].text, limit))
		fail_msg("\"%s\" names \"%s\" or \"%s\" not", made->diags->diag[0].text, rule, limit);
}

/* ---- what the compiled image says ---- */

static struct lictor_facts facts;

static size_t matching(const struct made *made, int event, uint32_t *ret_rule)
{
	static struct lictor_work work;
	const struct lictor_host_image image = { made->compiled->image, made->compiled->pages };
	size_t count = 0;
	uint32_t rule;

	lictor_match(&image, &image, (uint32_t)event, &facts, 0, &work);
	while ((rule = lictor_next_rule(&image, (uint32_t)event, &work)) != ~0u) {
		*ret_rule = rule;
		count++;
	}
	return count;
}

static size_t path_matching(const struct made *made, const char *path, uint32_t *ret_rule)
{
	static struct lictor_work work;
	static char text[LICTOR_TEXT_SIZE];
	const struct lictor_host_image image = { made->compiled->image, made->compiled->pages };
	uint32_t length = (uint32_t)strlen(path);

	memcpy(text, path, length);
	lictor_classify(&image, LICTOR_SPACE_OBJECT, text, 0, length, &work,
			&facts.hits[LICTOR_STRING_PATH]);
	lictor_hits_same(&facts.hits[LICTOR_STRING_PATH]);
	return matching(made, LICTOR_EVENT_WRITE, ret_rule);
}

/* ---- clauses ---- */

static void many_pids(struct made *made, uint32_t rules)
{
	begin(made, rules);
	for (uint32_t i = 0; i < rules; i++) {
		struct lictor_value *value = get(made, sizeof(*value));

		value->range.low = value->range.high = i;
		add_rule(made, LICTOR_EVENT_EXIT, LICTOR_FIELD_PROCESS_PID, 1, value);
	}
}

static void test_clauses(void **state)
{
	struct made made;
	uint32_t rule = 0;

	(void)state;
	many_pids(&made, LICTOR_CLAUSES_MAX);
	assert_int_equal(compile(&made, "4,096 clauses"), 0);
	for (uint32_t i = 0; i < LICTOR_CLAUSES_MAX; i += 195) {
		facts.v.state[LICTOR_FIELD_PROCESS_PID] = LICTOR_PRESENT;
		facts.v.num[LICTOR_FIELD_PROCESS_PID] = i;
		assert_int_equal(matching(&made, LICTOR_EVENT_EXIT, &rule), 1);
		assert_int_equal(rule, i);
	}
	end(&made);
	many_pids(&made, LICTOR_CLAUSES_MAX + 1);
	assert_int_equal(compile(&made, "4,097 clauses"), -E2BIG);
	expect_error(&made, "rule-4097", "4096");
	end(&made);
}

/* Exceptions are clauses too, in words of their own. */
static void test_clauses_of_unless(void **state)
{
	struct made made;
	uint32_t rule = 0;

	(void)state;
	for (uint32_t more = 0; more < 2; more++) {
		struct lictor_block *unless;

		many_pids(&made, 64);
		unless = get(&made, 4033 * sizeof(*unless));
		for (uint32_t u = 0; u < 4032 + more; u++) {
			struct lictor_value *value = get(&made, sizeof(*value));

			value->range.low = value->range.high = u;
			unless[u] = block_of(&made, LICTOR_FIELD_USER_ID, 1, value);
		}
		made.rules.rule[63].unless = unless;
		made.rules.rule[63].unlesses = 4032 + more;
		assert_int_equal(compile(&made, "4,032 exceptions"), more ? -E2BIG : 0);
		if (more) {
			expect_error(&made, "rule-64", "4096");
		} else {
			facts.v.state[LICTOR_FIELD_PROCESS_PID] = LICTOR_PRESENT;
			facts.v.num[LICTOR_FIELD_PROCESS_PID] = 63;
			facts.v.state[LICTOR_FIELD_USER_ID] = LICTOR_PRESENT;
			facts.v.num[LICTOR_FIELD_USER_ID] = 4031;
			assert_int_equal(matching(&made, LICTOR_EVENT_EXIT, &rule), 0);
			facts.v.num[LICTOR_FIELD_USER_ID] = 4032;
			assert_int_equal(matching(&made, LICTOR_EVENT_EXIT, &rule), 1);
		}
		end(&made);
	}
}

static void test_rules(void **state)
{
	struct made made;

	(void)state;
	begin(&made, LICTOR_RULES_MAX + 1);
	for (uint32_t i = 0; i <= LICTOR_RULES_MAX; i++) {
		struct lictor_value *value = get(&made, sizeof(*value));

		add_rule(&made, (int)(i % 15), LICTOR_FIELD_PROCESS_PID, 1, value);
	}
	assert_int_equal(compile(&made, "16,385 rules"), -E2BIG);
	expect_error(&made, "rule-16385", "16384");
	made.rules.rules--;
	lictor_diags_free(made.diags);
	made.diags = lictor_diags_new();
	assert_int_equal(compile(&made, "16,384 rules"), 0);
	end(&made);
}

static void test_atoms(void **state)
{
	struct made made;

	(void)state;
	begin(&made, LICTOR_ATOMS_MAX);
	for (uint32_t i = 0; i < LICTOR_ATOMS_MAX; i++) {
		struct lictor_value *value = get(&made, sizeof(*value));

		value->text = text_of(&made, "/bin/%u", i);
		add_rule(&made, LICTOR_EVENT_EXEC, LICTOR_FIELD_ANCESTOR_EXECUTABLE, 1, value);
	}
	assert_int_equal(compile(&made, "256 predicates on ancestors"), -E2BIG);
	expect_error(&made, "rule-256", "255");
	made.rules.rules--;
	lictor_diags_free(made.diags);
	made.diags = lictor_diags_new();
	assert_int_equal(compile(&made, "255 predicates on ancestors"), 0);
	end(&made);
}

/* ---- patterns ---- */

static const char *mixed_pattern(struct made *made, uint32_t i)
{
	static const char *const tops[] = { "usr", "etc", "var/lib", "opt/app", "srv", "home/user" };
	const char *top = tops[i / 5 % 6];
	uint32_t x = i * 2654435761u >> 8;

	switch (i % 5) {
	case 0:
		return text_of(made, "/%s/%x/file-%u", top, x & 0xfff, i);
	case 1:
		return text_of(made, "/%s/%x/dir-%u/**", top, x & 0xfff, i);
	case 2:
		return text_of(made, "**/%x-%u.conf", x & 0xffff, i);
	case 3:
		return text_of(made, "**%x_%u**", x & 0xffff, i);
	default:
		return text_of(made, "/%s/%x/*/%u-*.so", top, x & 0xfff, i);
	}
}

static void test_mixed_globs(void **state)
{
	struct made made;
	char path[128];
	uint32_t rule = 0;

	(void)state;
	begin(&made, 2500);
	for (uint32_t i = 0; i < 10000; i += 4) {
		struct lictor_value *value = get(&made, 4 * sizeof(*value));

		for (uint32_t n = 0; n < 4; n++)
			value[n].text = mixed_pattern(&made, i + n);
		add_rule(&made, LICTOR_EVENT_WRITE, LICTOR_FIELD_FILE_PATH, 4, value);
	}
	assert_int_equal(compile(&made, "10,000 mixed globs"), 0);
	assert_true(made.seconds < 10);
	for (uint32_t i = 0; i < 10000; i++) {
		const char *pattern = mixed_pattern(&made, i);
		char *to = path;

		for (; *pattern; pattern++)
			if (*pattern != '*')
				*to++ = *pattern;
			else if (pattern[1] == '*')
				to = stpcpy(to, "/z");
			else
				*to++ = 'z';
		*to = '\0';
		assert_int_equal(path_matching(&made, path, &rule), 1);
		assert_int_equal(rule, i / 4);
	}
	end(&made);
}

static void test_exact_paths(void **state)
{
	struct made made;
	struct lictor_value *value;
	uint32_t rule = 0;

	(void)state;
	begin(&made, 2);
	value = get(&made, 100000 * sizeof(*value));
	for (uint32_t i = 0; i < 100000; i++)
		value[i].text = text_of(&made, "/usr/share/indicators/%u/%08x", i % 97, i * 2654435761u);
	add_rule(&made, LICTOR_EVENT_WRITE, LICTOR_FIELD_FILE_PATH, 100000, value);
	assert_int_equal(compile(&made, "100,000 exact paths in one rule"), 0);
	assert_true(made.seconds < 10);
	for (uint32_t i = 0; i < 100000; i += 7) {
		char path[64];

		assert_int_equal(path_matching(&made, value[i].text, &rule), 1);
		snprintf(path, sizeof(path), "%s0", value[i].text);
		assert_int_equal(path_matching(&made, path, &rule), 0);
	}
	end(&made);
}

/* Which of k such patterns matched must not take 2^k states. */
static void expect_additive(const char *what, const char *format, const char *text, size_t most)
{
	struct made made;
	char path[64];
	uint32_t rule = 0;

	begin(&made, 200);
	for (unsigned i = 0; i < 200; i++) {
		char pattern[64];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(pattern, sizeof(pattern), format, i);
#pragma GCC diagnostic pop
		add_pattern(&made, text_of(&made, "%s", pattern));
	}
	assert_int_equal(compile(&made, what), 0);
	assert_true(made.compiled->states < most);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "%s%03u/b", text, i);
		assert_int_equal(path_matching(&made, path, &rule), 1);
		assert_int_equal(rule, i);
	}
	end(&made);
}

static void test_additive(void **state)
{
	(void)state;
	expect_additive("200 of **x_i**", "**x_%03u**", "/a/x_", 2000);
	expect_additive("200 of /data/**/x_i/**", "/data/**/x_%03u/**", "/data/a/x_", 2000);
	expect_additive("200 of **/x_i/**", "**/x_%03u/**", "/a/x_", 2000);
}

static void test_explosive(void **state)
{
	struct made made;

	(void)state;
	begin(&made, 41);
	for (uint32_t i = 0; i < 40; i++)
		add_pattern(&made, text_of(&made, "/data/%u/**", i));
	add_pattern(&made, "**a??????????????????????b**");
	assert_int_equal(compile(&made, "a pattern that remembers 22 bytes"), -E2BIG);
	assert_true(made.seconds < 30);
	expect_error(&made, "pattern \"**a???", "rule-41");
	end(&made);
}

/* ---- addresses ---- */

static void test_networks(void **state)
{
	struct made made;
	struct lictor_value *value;
	uint32_t rule = 0;

	(void)state;
	begin(&made, 1);
	value = get(&made, 1000000 * sizeof(*value));
	for (uint32_t i = 0; i < 1000000; i++) {
		uint32_t first = htonl(i << 12), last = htonl((i << 12) + 255);

		value[i].text = "";
		memset(value[i].address.first + 10, 0xff, 2);
		memset(value[i].address.last + 10, 0xff, 2);
		memcpy(value[i].address.first + 12, &first, 4);
		memcpy(value[i].address.last + 12, &last, 4);
	}
	add_rule(&made, LICTOR_EVENT_CONNECT, LICTOR_FIELD_DESTINATION_IP, 1000000, value);
	assert_int_equal(compile(&made, "1,000,000 networks in one rule"), 0);
	assert_true(made.seconds < 10);
	facts.v.state[LICTOR_FIELD_DESTINATION_IP] = LICTOR_PRESENT;
	for (uint32_t i = 0; i < 1000000; i += 13) {
		uint8_t *address = facts.v.address[LICTOR_ADDRESS_DESTINATION];
		uint32_t inside = htonl((i << 12) + i % 256), outside = htonl((i << 12) + 256);

		memcpy(address, value[0].address.first, 12);
		memcpy(address + 12, &inside, 4);
		assert_int_equal(matching(&made, LICTOR_EVENT_CONNECT, &rule), 1);
		memcpy(address + 12, &outside, 4);
		assert_int_equal(matching(&made, LICTOR_EVENT_CONNECT, &rule), 0);
	}
	end(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clauses),	    cmocka_unit_test(test_clauses_of_unless),
		cmocka_unit_test(test_rules),	    cmocka_unit_test(test_atoms),
		cmocka_unit_test(test_mixed_globs), cmocka_unit_test(test_exact_paths),
		cmocka_unit_test(test_additive),    cmocka_unit_test(test_explosive),
		cmocka_unit_test(test_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
