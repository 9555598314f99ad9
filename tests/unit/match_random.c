/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiled matcher against the referee: random rule sets, random events, the same rules have to
 * match. Where two views of a string differ, the compiled one may be stricter than the referee (it
 * keeps what is certain by outcome, not by predicate), but never milder, and never stricter than
 * if nothing were certain. LICTOR_SEED repeats a run, LICTOR_ITERATIONS sets its length in pairs.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/match_sample.h"

#define PAIRS 1000000

static struct {
	uint64_t pairs, matched, rules, hits, differ, stricter, sets, refused, read, clauses, automata,
		exact, unknown, events[LICTOR_EVENTS];
} count;

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

/* ---- one pair ---- */

static void tell_failure(const struct sample_set *set, const struct sample_event *event,
			 const struct lictor_rule *rule, bool compiled, bool ideal, bool strict)
{
	fprintf(stderr, "set %lu, pair %lu: compiled says %d, referee %d (nothing certain: %d) of\n",
		(unsigned long)count.sets, (unsigned long)count.pairs, compiled, ideal, strict);
	lictor_rule_print(rule, stderr);
	tell_event(event);
	if (set->rules.rules <= 60) {
		fputs("all rules:\n", stderr);
		(void)lictor_rules_print(&set->rules, stderr);
	}
	fail_msg("they disagree");
}

static void compare(const struct sample_set *set, const struct lictor_compiled *compiled,
		    struct sample_event *event, const uint64_t *matched)
{
	bool any = false;

	for (size_t i = 0; i < compiled->rules; i++) {
		const struct lictor_rule *rule = &set->rules.rule[compiled->rule[i]];
		bool got = matched[i / 64] >> (i % 64) & 1, ideal, strict;

		if (!(rule->events >> event->instance.event & 1) && !got)
			continue;
		ideal = lictor_rule_matches(rule, &event->instance);
		strict = event->differ ? lictor_rule_matches(rule, &event->strict) : ideal;
		if ((ideal && !got) || (got && !strict))
			tell_failure(set, event, rule, got, ideal, strict);
		any |= got;
		count.rules++;
		count.hits += got;
		count.stricter += got != ideal;
	}
	assert_int_equal(event->instance.error, 0);
	count.matched += any;
	count.differ += event->differ;
	count.events[event->instance.event]++;
	count.pairs++;
}

static void judge(struct sample_set *set, const struct lictor_compiled *compiled,
		  struct sample_host *host, struct sample_event *event)
{
	uint64_t matched[LICTOR_RULES_MAX / 64] = { 0 };
	int about = (int)set->event[below((uint32_t)set->event_count)];
	bool once;

	sample_event_make(set, about, compiled->fields[about], event);
	host_facts(host, compiled->fields[about], event);
	once = host_match(host, about, 0, matched);
	if (lictor_instance_has_second(&event->instance))
		once &= host_match(host, about, 1, matched);
	if (!once) {
		tell_event(event);
		(void)lictor_rules_print(&set->rules, stderr);
		fail_msg("set %lu: one rule matched twice", (unsigned long)count.sets);
	}
	compare(set, compiled, event, matched);
}

/* ---- one rule set ---- */

/* What was made, printed and read again: the parser and the printer are in the loop. */
static struct lictor_rules *read_again(const struct sample_set *set, struct lictor_diags *diags)
{
	char name[] = "sample.yaml", *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	struct lictor_rules *rules = NULL;
	struct lictor_source source = { .name = name };

	assert_non_null(out);
	assert_int_equal(lictor_rules_print(&set->rules, out), 0);
	fclose(out);
	source.text = text;
	source.length = length;
	if (lictor_rules_read_text(1, &source, diags, &rules)) {
		lictor_diags_print(diags, stderr);
		fail_msg("set %lu cannot be read again", (unsigned long)count.sets);
	}
	free(text);
	count.read++;
	return rules;
}

static void count_image(const struct lictor_compiled *compiled)
{
	const struct lictor_image *image = (const void *)compiled->image;

	count.clauses += compiled->clauses;
	for (int s = 0; s < LICTOR_SPACES; s++) {
		count.automata += image->space[s].automata;
		count.exact += image->space[s].exact.slots != 0;
	}
}

static void try_set(struct sample_set *set, uint32_t events, struct sample_host *host,
		    struct sample_event *event)
{
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_rules *read = set->strict ? read_again(set, diags) : NULL;
	struct lictor_compiled *compiled = NULL;
	int r = lictor_compile(read ? read : &set->rules, 0, NULL, false, 1, sample_random(), NULL,
			       diags, &compiled);

	count.sets++;
	if (r == -E2BIG)
		count.refused++;
	else
		assert_int_equal(r, 0);
	if (r == 0) {
		host->image = (struct lictor_host_image){ compiled->image, compiled->pages };
		count_image(compiled);
	}
	for (uint32_t i = 0; r == 0 && i < events; i++)
		judge(set, compiled, host, event);
	lictor_compiled_free(compiled);
	lictor_rules_free(read);
	lictor_diags_free(diags);
}

static void try_one(struct sample_host *host, struct sample_event *event)
{
	bool large = below(150) == 0, strict = percent(8), many = below(40) == 0;
	size_t rules = large ? 200 + below(1800) : percent(60) ? 1 + below(4) : 1 + below(60);
	struct sample_set *set = sample_set_new(rules, large ? 2 : 3, strict, many);

	try_set(set, large ? 150 : 300, host, event);
	sample_set_free(set);
}

/* ---- the run ---- */

static void tell(double seconds)
{
	printf("%lu pairs, %.1f %% matched; %lu rules judged, %.2f %% matched; %lu pairs with two "
	       "views, %lu rules judged more strictly than need be\n", (unsigned long)count.pairs,
	       100.0 * (double)count.matched / (double)count.pairs, (unsigned long)count.rules,
	       100.0 * (double)count.hits / (double)count.rules, (unsigned long)count.differ,
	       (unsigned long)count.stricter);
	printf("%lu rule sets (%lu printed and read again, %lu refused), %lu clauses, %lu automata, "
	       "%lu exact tables, %lu values with too many outcomes; %.1f s\n",
	       (unsigned long)count.sets, (unsigned long)count.read, (unsigned long)count.refused,
	       (unsigned long)count.clauses, (unsigned long)count.automata,
	       (unsigned long)count.exact, (unsigned long)count.unknown, seconds);
	for (int e = 0; e < LICTOR_EVENTS; e++)
		if (count.events[e])
			printf("%s %lu ", lictor_event_words[e].name, (unsigned long)count.events[e]);
	putchar('\n');
}

static void test_agreement(void **state)
{
	uint64_t pairs = number_from("LICTOR_ITERATIONS", PAIRS);
	struct sample_host *host = calloc(1, sizeof(*host));
	struct sample_event *event = calloc(1, sizeof(*event));
	struct timespec from, to;

	(void)state;
	assert_non_null(host);
	assert_non_null(event);
	sample_event_init(event);
	clock_gettime(CLOCK_MONOTONIC, &from);
	while (count.pairs < pairs)
		try_one(host, event);
	clock_gettime(CLOCK_MONOTONIC, &to);
	count.unknown = host->overflows;
	tell((double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
	assert_in_range(count.matched * 100 / count.pairs, 5, 80);
	assert_in_range(count.hits * 1000 / count.rules, 20, 500);
	assert_in_range(count.refused * 100 / count.sets, 0, 2);
	assert_in_range(count.unknown * 100 / count.pairs, 0, 25);
	free(event->text);
	free(event);
	free(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_agreement) };

	sample_state = number_from("LICTOR_SEED", (uint64_t)time(NULL));
	printf("LICTOR_SEED=%lu\n", (unsigned long)sample_state);
	sample_state = (sample_state + 1) * 0x9e3779b97f4a7c15ull | 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
