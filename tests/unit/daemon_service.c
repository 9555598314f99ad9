/* SPDX-License-Identifier: Apache-2.0 */
/* Sequence numbers, losses, and what survives a reload: names of records, totals of rules. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka last of these: it needs them */
#include <cmocka.h>

#include "daemon/enrich.h"
#include "daemon/hashing.h"
#include "daemon/log.h"
#include "daemon/service.h"

/* ---- an engine without a kernel: records are (generation, rule), 0 is not one ---- */

struct record {
	uint64_t generation;
	size_t rule;
	char rest[240];
};

#define RECORDS 8192

static struct record ring[RECORDS];
static size_t first, last;
static struct lictor_rule_count counts[2][4];
static uint64_t generation;
static struct lictor_stats stats;
static struct lictor_limit_key limit_key;
static uint32_t limit_count;

int lictor_engine_consume(struct lictor_engine *engine, lictor_engine_record *record,
			  void *context)
{
	(void)engine;
	while (first < last)
		if (!record(context, &ring[first++], sizeof(ring[0])))
			break;
	if (first == last)
		first = last = 0;
	return 0;
}

int lictor_engine_rule_counts(const struct lictor_engine *engine, uint64_t of, size_t rules,
			      struct lictor_rule_count *ret_count)
{
	(void)engine;
	if (of != generation && of + 1 != generation)
		return -ESTALE;
	memcpy(ret_count, counts[of & 1], rules * sizeof(*ret_count));
	return 0;
}

int lictor_engine_stats(const struct lictor_engine *engine, struct lictor_stats *ret_stats)
{
	(void)engine;
	*ret_stats = stats;
	return 0;
}

int lictor_engine_limits(struct lictor_engine *engine, uint64_t quiet_ns,
			 lictor_engine_limited *limited, void *context)
{
	(void)engine;
	(void)quiet_ns;
	if (limit_count)
		limited(context, &limit_key, limit_count);
	limit_count = 0;
	return 0;
}

static bool alive;
static uint64_t guarded;

bool lictor_engine_alive(const struct lictor_engine *engine)
{
	(void)engine;
	return alive;
}

uint64_t lictor_engine_guarded(const struct lictor_engine *engine, uint32_t *ret_pid,
			       char ret_name[static 16])
{
	(void)engine;
	*ret_pid = 77;
	strcpy(ret_name, "sysctl");
	return guarded;
}

bool lictor_engine_program_path(const struct lictor_engine *engine, uint64_t program,
				struct lictor_program *ret_program)
{
	(void)engine;
	(void)program;
	(void)ret_program;
	return false;
}

int lictor_engine_kill(uint32_t pid, uint64_t start_ns)
{
	(void)pid;
	(void)start_ns;
	return -ESRCH;
}

uint64_t lictor_engine_memory(const struct lictor_engine *engine)
{
	(void)engine;
	return 1000;
}

enum lictor_action lictor_engine_can(const struct lictor_engine *engine, enum lictor_event event,
				     const char **ret_why)
{
	(void)engine;
	(void)event;
	(void)ret_why;
	return LICTOR_ACTION_KILL;
}

size_t lictor_engine_gaps(const struct lictor_engine *engine, struct lictor_gap *ret_gap)
{
	(void)engine;
	(void)ret_gap;
	return 0;
}

bool lictor_engine_knows(const struct lictor_engine *engine, enum lictor_event event, int field,
			 bool *ret_doubt, const char **ret_why)
{
	(void)engine;
	(void)event;
	(void)field;
	(void)ret_doubt;
	(void)ret_why;
	return true;
}

void lictor_compiled_free(struct lictor_compiled *compiled)
{
	free(compiled->rule);
	free(compiled);
}

/* ---- decoder, enricher, sinks, log: the least that will do ---- */

uint64_t lictor_decode_generation(const void *record, size_t size)
{
	(void)size;
	return ((const struct record *)record)->generation;
}

int lictor_decode(const void *record, size_t size, const struct lictor_labels *labels,
		  int64_t boot_offset, struct lictor_decoded *ret_decoded)
{
	const struct record *r = record;

	(void)size;
	(void)boot_offset;
	if (!r->generation)
		return -EBADMSG;
	memset(ret_decoded, 0, sizeof(*ret_decoded));
	if (!labels)
		return 0;
	ret_decoded->rule[0] = &labels->label[r->rule];
	ret_decoded->alert.rules = 1;
	ret_decoded->alert.rule = ret_decoded->rule;
	return 0;
}

int lictor_enrich_new(struct lictor_enrich **ret_enrich)
{
	*ret_enrich = NULL;
	return 0;
}

void lictor_enrich_free(struct lictor_enrich *enrich)
{
	(void)enrich;
}

void lictor_enrich_alert(struct lictor_enrich *enrich, struct lictor_alert *alert)
{
	(void)enrich;
	(void)alert;
}

/* ---- hashes: while some are late, records of rule b wait for theirs ---- */

static size_t late;

int lictor_hashing_new(struct lictor_engine *engine, struct lictor_hashing **ret_hashing)
{
	(void)engine;
	*ret_hashing = (struct lictor_hashing *)(void *)&late;
	return 0;
}

void lictor_hashing_free(struct lictor_hashing *hashing)
{
	(void)hashing;
}

bool lictor_hashing_alert(struct lictor_hashing *hashing, struct lictor_alert *alert)
{
	bool waits = late && alert->rules && !strcmp(alert->rule[0]->name, "b");

	(void)hashing;
	alert->process_hash = waits ? NULL : "hash";
	return waits;
}

struct told {
	enum lictor_notice notice;
	uint64_t sequence;
	char rule[32];
	char detail[128];
	uint64_t counter;
	bool hashed;
};

static struct told told[RECORDS + 64];
static size_t tellings;
static struct lictor_sink_count sink;

void lictor_sinks_tell(struct lictor_sinks *sinks, const struct lictor_alert *alert)
{
	struct told *t = &told[tellings++];

	(void)sinks;
	*t = (struct told){ .notice = alert->notice, .sequence = alert->sequence,
			    .hashed = alert->process_hash };
	if (alert->rules)
		snprintf(t->rule, sizeof(t->rule), "%s", alert->rule[0]->name);
	if (alert->detail)
		snprintf(t->detail, sizeof(t->detail), "%s", alert->detail);
	if (alert->counters)
		t->counter = alert->counter[0].value;
}

void lictor_sinks_digest(struct lictor_sinks *sinks, const char *rules_digest)
{
	(void)sinks;
	(void)rules_digest;
}

bool lictor_sinks_tick(struct lictor_sinks *sinks, time_t now)
{
	(void)sinks;
	(void)now;
	return false;
}

size_t lictor_sinks_counts(const struct lictor_sinks *sinks,
			   struct lictor_sink_state state[LICTOR_SINKS_MAX])
{
	(void)sinks;
	state[0] = (struct lictor_sink_state){ .name = "json", .count = sink };
	return 1;
}

void lictor_say(int priority, const char *format, ...)
{
	(void)priority;
	(void)format;
}

/* ---- the tests ---- */

static struct lictor_service *service;

static int set_up(void **state)
{
	(void)state;
	first = last = tellings = 0;
	generation = 0;
	limit_count = 0;
	alive = true;
	guarded = 0;
	memset(&stats, 0, sizeof(stats));
	memset(counts, 0, sizeof(counts));
	memset(&sink, 0, sizeof(sink));
	late = 0;
	return lictor_service_new(NULL, NULL, true, &service);
}

static int tear_down(void **state)
{
	(void)state;
	lictor_service_free(service);
	return 0;
}

static void put(uint64_t of, size_t rule)
{
	assert_true(last < RECORDS);
	ring[last++] = (struct record){ .generation = of, .rule = rule };
}

/* A generation of these rules comes into force. */
static void flip(size_t rules, const char *const *name)
{
	struct lictor_rules source = { .arena = lictor_arena_new(), .rules = rules };
	struct lictor_compiled *compiled = calloc(1, sizeof(*compiled));
	struct lictor_diags diags = { 0 };
	struct lictor_support support;
	struct lictor_ruleset *set = NULL;
	size_t i;

	source.rule = lictor_arena_get(source.arena, rules * sizeof(*source.rule));
	for (i = 0; i < rules; i++)
		source.rule[i] = (struct lictor_rule){ .name = name[i], .ruleset = "t",
						       .events = 1, .enabled = true,
						       .action = LICTOR_ACTION_ALERT };
	assert_int_equal(lictor_ruleset_new(&source, &diags, false, &set), 0);
	assert_int_equal(lictor_support_apply(NULL, false, false, &source, &support), 0);
	compiled->rules = rules;
	compiled->rule = calloc(rules, sizeof(*compiled->rule));
	for (i = 0; i < rules; i++)
		compiled->rule[i] = (uint32_t)i;
	assert_int_equal(lictor_ruleset_seal(set, &source, &support, compiled, generation + 1), 0);
	lictor_arena_free(source.arena);
	lictor_service_retire(service);
	generation++;
	memset(counts[generation & 1], 0, sizeof(counts[0]));
	lictor_service_adopt(service, set);
}

static uint64_t matched(const char *name)
{
	const struct lictor_entry *entry;

	entry = lictor_ruleset_find(lictor_service_rules(service), name);
	assert_non_null(entry);
	return lictor_service_total(service, entry).matched;
}

static const char *const ab[] = { "a", "b" };
static const char *const bc[] = { "b", "c" };
static const char *const cba[] = { "c", "b", "a" };

static void numbers(void **state)
{
	(void)state;
	flip(2, ab);
	lictor_service_notice(service, LICTOR_NOTICE_START, "x", 0, NULL);
	put(1, 0);
	put(1, 1);
	assert_int_equal(lictor_service_drain(service), 0);
	assert_int_equal(tellings, 3);
	assert_int_equal(told[0].sequence, 1);
	assert_int_equal(told[2].sequence, 3);
	assert_string_equal(told[1].rule, "a");
	assert_string_equal(told[2].rule, "b");
}

/* What a ring lost is a gap of just that width, and the notice stands behind it. */
static void losses(void **state)
{
	(void)state;
	flip(2, ab);
	put(1, 0);
	lictor_service_drain(service);
	stats.lost[LICTOR_RING_REPORTS] = 5;
	lictor_service_tick(service, 1);
	assert_int_equal(tellings, 2);
	assert_int_equal(told[1].notice, LICTOR_NOTICE_LOST);
	assert_int_equal(told[1].sequence, 1 + 5 + 1);
	assert_int_equal(told[1].counter, 5);
	lictor_service_tick(service, 2);
	assert_int_equal(tellings, 2);
	put(0, 0);
	put(1, 0);
	lictor_service_drain(service);
	assert_int_equal(told[2].sequence, 9);
	lictor_service_tick(service, 3);
	assert_int_equal(told[3].notice, LICTOR_NOTICE_LOST);
	assert_int_equal(told[3].counter, 1);
}

/* A sink's loss is told once it has recovered, and once. */
static void sink_losses(void **state)
{
	(void)state;
	sink.lost = 7;
	sink.error = ENOSPC;
	lictor_service_tick(service, 1);
	lictor_service_tick(service, 2);
	assert_int_equal(tellings, 0);
	sink.error = 0;
	sink.lost = 9;
	lictor_service_tick(service, 3);
	assert_int_equal(tellings, 0);
	lictor_service_tick(service, 4);
	assert_int_equal(tellings, 1);
	assert_int_equal(told[0].counter, 9);
	lictor_service_tick(service, 5);
	assert_int_equal(tellings, 1);
}

/* Records that were decided before the flip and read after it. */
static void old_records_keep_their_names(void **state)
{
	(void)state;
	flip(2, ab);
	put(1, 0);
	flip(2, bc);
	put(1, 1);
	put(2, 0);
	put(2, 1);
	put(7, 0);
	lictor_service_drain(service);
	assert_int_equal(tellings, 5);
	assert_string_equal(told[0].rule, "a");
	assert_string_equal(told[1].rule, "b");
	assert_string_equal(told[2].rule, "b");
	assert_string_equal(told[3].rule, "c");
	assert_string_equal(told[4].rule, "");
}

/* Two reloads at once: the ring is drained before the older names go. */
static void quick_reloads(void **state)
{
	(void)state;
	flip(2, ab);
	put(1, 0);
	flip(2, bc);
	put(1, 1);
	flip(3, cba);
	put(2, 1);
	lictor_service_drain(service);
	assert_string_equal(told[0].rule, "a");
	assert_string_equal(told[1].rule, "b");
	assert_string_equal(told[2].rule, "c");
}

static void totals(void **state)
{
	(void)state;
	flip(2, ab);
	counts[1][0].matched = 10;
	counts[1][1].matched = 100;
	lictor_service_count(service);
	assert_int_equal(matched("a"), 10);
	flip(3, cba);
	counts[0][1].matched = 5;
	counts[1][1].matched = 101; /* still in flight when it flipped */
	lictor_service_count(service);
	assert_int_equal(matched("a"), 10);
	assert_int_equal(matched("b"), 106);
	assert_int_equal(matched("c"), 0);
	lictor_service_retire(service);
	assert_int_equal(matched("b"), 106);
	flip(2, bc);
	counts[1][0].matched = 1;
	lictor_service_retire(service);
	lictor_service_count(service);
	assert_int_equal(matched("b"), 107);
	assert_null(lictor_ruleset_find(lictor_service_rules(service), "a"));
	assert_null(lictor_ruleset_find(lictor_service_rules(service), "bb"));
}

/* A limit of a generation that goes is told while its rules still have names. */
static void limits(void **state)
{
	(void)state;
	flip(2, ab);
	limit_key = (struct lictor_limit_key){ .pid = 7, .rule = 1, .generation = 1 };
	limit_count = 30;
	flip(2, bc);
	lictor_service_retire(service);
	assert_int_equal(tellings, 1);
	assert_int_equal(told[0].notice, LICTOR_NOTICE_LIMITED);
	assert_int_equal(told[0].counter, 30);
	assert_string_equal(told[0].detail, "rule b, process 7: 30 reports");
}

/* A flood does not keep the loop: a batch at a time. At the end everything comes. */
static void flood(void **state)
{
	size_t i;

	(void)state;
	flip(2, ab);
	for (i = 0; i < 6000; i++)
		put(1, 0);
	assert_int_equal(lictor_service_drain(service), 1);
	assert_true(tellings < 6000);
	lictor_service_finish(service);
	assert_int_equal(tellings, 6000);
	assert_int_equal(told[5999].sequence, 6000);
}

/* Enforcement that ends, comes back, or was to be ended is told of once each time. */
static void canary(void **state)
{
	(void)state;
	lictor_service_canary(service);
	lictor_service_canary(service);
	assert_int_equal(tellings, 0);
	alive = false;
	lictor_service_canary(service);
	lictor_service_canary(service);
	assert_int_equal(tellings, 1);
	assert_int_equal(told[0].notice, LICTOR_NOTICE_SILENCED);
	alive = true;
	lictor_service_canary(service);
	assert_int_equal(tellings, 2);
	assert_int_equal(told[1].notice, LICTOR_NOTICE_RECOVERED);
	guarded = 3;
	lictor_service_canary(service);
	lictor_service_canary(service);
	assert_int_equal(tellings, 3);
	assert_int_equal(told[2].notice, LICTOR_NOTICE_TAMPERING);
	assert_int_equal(told[2].counter, 3);
	assert_non_null(strstr(told[2].detail, "process 77 (sysctl)"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* Order, and numbers without a gap, whoever waits. */
static void waits(void **state)
{
	(void)state;
	flip(2, ab);
	late = 1;
	put(1, 0);
	put(1, 1);
	put(1, 0);
	assert_int_equal(lictor_service_drain(service), 0);
	assert_int_equal(tellings, 1);
	lictor_service_notice(service, LICTOR_NOTICE_START, "x", 0, NULL);
	late = 0;
	put(1, 0);
	assert_int_equal(lictor_service_drain(service), 0);
	assert_int_equal(tellings, 5);
	assert_string_equal(told[0].rule, "a");
	assert_int_equal(told[1].notice, LICTOR_NOTICE_START);
	assert_string_equal(told[2].rule, "b");
	assert_string_equal(told[3].rule, "a");
	assert_true(told[2].hashed);
	for (size_t i = 0; i < tellings; i++)
		assert_int_equal(told[i].sequence, i + 1);
}

/* In vain: two seconds, and not at all when there is no room. */
static void waits_no_longer(void **state)
{
	struct timespec begin, now;

	(void)state;
	flip(2, ab);
	late = 1;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	put(1, 1);
	put(1, 0);
	do {
		assert_int_equal(lictor_service_drain(service), 0);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (!tellings && now.tv_sec - begin.tv_sec < 30);
	assert_int_equal(tellings, 2);
	assert_false(told[0].hashed);
	assert_true(told[1].hashed);
	assert_true((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 >=
		    1999);
	for (size_t i = 0; i < RECORDS; i++)
		put(1, 1);
	while (lictor_service_drain(service))
		;
	assert_true(tellings > RECORDS / 2);
	lictor_service_finish(service);
	assert_int_equal(tellings, RECORDS + 2);
	assert_int_equal(told[RECORDS + 1].sequence, RECORDS + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers), TEST(losses), TEST(sink_losses), TEST(old_records_keep_their_names),
		TEST(quick_reloads), TEST(totals), TEST(limits), TEST(flood),
		TEST(canary), TEST(waits), TEST(waits_no_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
