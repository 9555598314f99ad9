/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: rings -> decode -> enrich -> sinks, with one sequence number over everything that is told.
 * In: records, counters. Out: alerts and notices; a number that is missing is a record that was
 * lost. May touch: the rings and counters of the engine.
 */
#include "daemon/service.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "daemon/enrich.h"
#include "daemon/hashing.h"
#include "daemon/log.h"
#include "daemon/own.h"
#include "daemon/waiting.h"

#define SECOND_NS 1000000000ull
#define LIMITS_EVERY 5		/* seconds */
#define LIMITS_QUIET (10 * SECOND_NS)
#define COUNT_EVERY_NS (SECOND_NS / 10)
#define COUNTERS_MAX 24u
#define BATCH 2048u		/* records */
#define DRAIN_NS (2 * SECOND_NS)	/* for all that is there */
#define WAIT_NS (2 * SECOND_NS)		/* of a record, for hashes */
#define PAUSE_NS (SECOND_NS / 100)

struct lictor_service {
	struct lictor_engine *engine;
	struct lictor_sinks *sinks;
	struct lictor_enrich *enrich;
	struct lictor_hashing *hashing;	/* NULL: nobody wants them */
	struct lictor_waiting waiting;	/* for hashes, or behind one that does */
	struct lictor_ruleset *set;	/* in force */
	struct lictor_ruleset *before;	/* or NULL */
	uint64_t flipped_ns;
	uint64_t counted_ns;
	uint64_t sequence;
	bool silent;		/* the canary */
	uint64_t guarded;	/* attempts on ftrace, as last told of */
	bool preexisting;	/* kill rules kill what was there before them */
	size_t batch;		/* records that may still be taken */
	uint64_t undecodable;
	uint64_t undecodable_told;
	int64_t boot_offset;
	struct lictor_stats stats;	/* as last told of */
	time_t limits_at;
	struct lictor_sink_state sink[LICTOR_SINKS_MAX];	/* as last told of */
	struct lictor_sink_state seen[LICTOR_SINKS_MAX];	/* a second ago */
	struct lictor_decoded decoded;
	struct lictor_program program[LICTOR_ANCESTORS];	/* of its ancestors */
	struct lictor_alert notice;
};

OWNABLE(struct lictor_service, lictor_service_free)

static const int priorities[LICTOR_NOTICES] = {
	[LICTOR_NOTICE_START] = LOG_NOTICE,
	[LICTOR_NOTICE_STOP] = LOG_NOTICE,
	[LICTOR_NOTICE_RULES_LOADED] = LOG_NOTICE,
	[LICTOR_NOTICE_RULES_REJECTED] = LOG_ERR,
	[LICTOR_NOTICE_HEARTBEAT] = LOG_INFO,
	[LICTOR_NOTICE_LOST] = LOG_WARNING,
	[LICTOR_NOTICE_LIMITED] = LOG_INFO,
	[LICTOR_NOTICE_DEGRADED] = LOG_WARNING,
	[LICTOR_NOTICE_ROTATED] = LOG_INFO,
	[LICTOR_NOTICE_SILENCED] = LOG_CRIT,
	[LICTOR_NOTICE_RECOVERED] = LOG_NOTICE,
	[LICTOR_NOTICE_TAMPERING] = LOG_CRIT,
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

int lictor_service_new(struct lictor_engine *engine, struct lictor_sinks *sinks, bool hash,
		       struct lictor_service **ret_service)
{
	struct lictor_service *service OWN(own_lictor_service_free) = calloc(1, sizeof(*service));
	int error;

	if (!service)
		return -ENOMEM;
	service->engine = engine;
	service->sinks = sinks;
	error = lictor_enrich_new(&service->enrich);
	if (!error && hash)
		error = lictor_hashing_new(engine, &service->hashing);
	if (error)
		return error;
	*ret_service = TAKE(service);
	return 0;
}

void lictor_service_free(struct lictor_service *service)
{
	if (service->before)
		lictor_ruleset_free(service->before);
	if (service->set)
		lictor_ruleset_free(service->set);
	if (service->enrich)
		lictor_enrich_free(service->enrich);
	if (service->hashing)
		lictor_hashing_free(service->hashing);
	while (service->waiting.first)
		lictor_waiting_drop(&service->waiting);
	free(service);
}

void lictor_service_preexisting(struct lictor_service *service, bool enforce)
{
	service->preexisting = enforce;
}

/* ---- notices ---- */

void lictor_service_notice(struct lictor_service *service, enum lictor_notice notice,
			   const char *detail, size_t counters,
			   const struct lictor_counter *counter)
{
	struct lictor_alert *alert = &service->notice;

	memset(alert, 0, sizeof(*alert));
	alert->notice = notice;
	alert->severity = priorities[notice];
	alert->detail = detail;
	alert->counters = counters;
	alert->counter = counter;
	alert->generation = service->set ? service->set->generation : 0;
	alert->sequence = ++service->sequence;
	clock_gettime(CLOCK_REALTIME, &alert->time);
	lictor_sinks_tell(service->sinks, alert);
}

static void tell_lost(struct lictor_service *service, uint64_t count, const char *where,
		      const char *why)
{
	struct lictor_counter counter = { "events", count };
	char detail[160];

	snprintf(detail, sizeof(detail), "%s: %llu records, %s", where, (unsigned long long)count,
		 why);
	lictor_service_notice(service, LICTOR_NOTICE_LOST, detail, 1, &counter);
	lictor_say(LOG_WARNING, "lost: %s", detail);
}

/* ---- records ---- */

static const struct lictor_labels *labels_of(const struct lictor_service *service,
					     uint64_t generation)
{
	if (service->set && service->set->generation == generation)
		return &service->set->labels;
	if (service->before && service->before->generation == generation)
		return &service->before->labels;
	return NULL;
}

/* What was there before the rules, and a rule would have killed. Has it been killed now? */
static bool carry_out(const struct lictor_service *service, const struct lictor_alert *alert)
{
	int error;

	if (!service->preexisting || !(alert->flags & LICTOR_RECORD_KILL_DUE))
		return false;
	error = lictor_engine_kill(alert->pid, alert->start_ns);
	if (error && error != -ESRCH)
		lictor_say(LOG_ERR, "killing process %u: %s", alert->pid, strerror(-error));
	return !error;
}

/* Their paths are kept until the next record. */
static void name_ancestors(struct lictor_service *service, struct lictor_alert *alert)
{
	for (size_t i = 0; i < alert->ancestors; i++) {
		struct lictor_alert_ancestor *ancestor = &alert->ancestor[i];
		struct lictor_program *program = &service->program[i];

		if (!ancestor->program ||
		    !lictor_engine_program_path(service->engine, ancestor->program, program))
			continue;
		ancestor->executable = (struct lictor_bytes){
			.byte = program->path, .length = program->length, .cut = program->cut };
	}
}

static bool decode(struct lictor_service *service, const void *record, size_t size)
{
	const struct lictor_labels *labels = labels_of(service,
						       lictor_decode_generation(record, size));

	return !lictor_decode(record, size, labels, service->boot_offset, &service->decoded);
}

static bool is_incomplete(struct lictor_service *service)
{
	return service->hashing &&
	       lictor_hashing_alert(service->hashing, &service->decoded.alert);
}

/* What has been decoded. */
static void tell(struct lictor_service *service, bool killed)
{
	struct lictor_alert *alert = &service->decoded.alert;

	if (killed) {
		alert->verdict = LICTOR_VERDICT_KILLED;
		alert->signal = SIGKILL;
	}
	alert->sequence = ++service->sequence;
	name_ancestors(service, alert);
	lictor_enrich_alert(service->enrich, alert);
	lictor_sinks_tell(service->sinks, alert);
}

/* Those that wait for nothing any more; all: nor do the others, now. */
static void tell_waiting(struct lictor_service *service, bool all)
{
	struct lictor_waiter *waiter;

	while ((waiter = service->waiting.first)) {
		decode(service, waiter->record, waiter->size);
		if (is_incomplete(service) && !all &&
		    clock_ns(CLOCK_MONOTONIC) < waiter->until_ns)
			return;
		tell(service, waiter->killed);
		lictor_waiting_drop(&service->waiting);
	}
}

static bool take_record(void *context, const void *record, size_t size)
{
	struct lictor_service *service = context;
	bool killed;

	service->batch--;
	if (!decode(service, record, size)) {
		service->sequence++;
		service->undecodable++;
		return service->batch;
	}
	killed = carry_out(service, &service->decoded.alert);
	if (!is_incomplete(service) && !service->waiting.first) {
		tell(service, killed);
		return service->batch;
	}
	if (lictor_waiting_add(&service->waiting, record, size, killed,
			       clock_ns(CLOCK_MONOTONIC) + WAIT_NS))
		return service->batch;
	tell_waiting(service, true);
	decode(service, record, size);
	is_incomplete(service);
	tell(service, killed);
	return service->batch;
}

int lictor_service_drain(struct lictor_service *service)
{
	int error;

	service->boot_offset =
		(int64_t)(clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME));
	service->batch = BATCH;
	error = lictor_engine_consume(service->engine, take_record, service);
	tell_waiting(service, false);
	if (!service->batch)
		return 1;
	return error < 0 ? error : 0;
}

/*
 * In a flood there is no end to it: what the rings held when it began is taken in less. Records that
 * wait for hashes are given the same time, and told without them then.
 */
static void drain_all(struct lictor_service *service)
{
	uint64_t begin = clock_ns(CLOCK_MONOTONIC);

	int more;

	do {
		more = lictor_service_drain(service);
		if (more <= 0 && service->waiting.first)
			nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	} while ((more > 0 || service->waiting.first) &&
		 clock_ns(CLOCK_MONOTONIC) - begin < DRAIN_NS);
	tell_waiting(service, true);
}

/* ---- generations ---- */

static void take_limited(void *context, const struct lictor_limit_key *key, uint32_t suppressed)
{
	struct lictor_service *service = context;
	const struct lictor_labels *labels = labels_of(service, key->generation);
	struct lictor_counter counter[] = { { "events", suppressed }, { "pid", key->pid } };
	char detail[160];

	snprintf(detail, sizeof(detail), "rule %s, process %u: %u reports",
		 labels && key->rule < labels->labels ? labels->label[key->rule].name : "?",
		 key->pid, suppressed);
	lictor_service_notice(service, LICTOR_NOTICE_LIMITED, detail, 2, counter);
}

void lictor_service_retire(struct lictor_service *service)
{
	int error;

	if (!service->before)
		return;
	drain_all(service);
	error = lictor_ruleset_count(service->before, service->engine);
	if (error)
		lictor_say(LOG_WARNING, "reading the counters of generation %llu: %s",
			   (unsigned long long)service->before->generation, strerror(-error));
	lictor_engine_limits(service->engine, 0, take_limited, service);
	lictor_ruleset_inherit(service->set, service->before, true);
	lictor_ruleset_free(service->before);
	service->before = NULL;
}

void lictor_service_adopt(struct lictor_service *service, struct lictor_ruleset *set)
{
	lictor_service_retire(service);
	if (service->set) {
		lictor_ruleset_inherit(set, service->set, false);
		if (service->set->compiled)
			lictor_compiled_free(TAKE(service->set->compiled));
	}
	service->before = service->set;
	service->set = set;
	service->flipped_ns = clock_ns(CLOCK_MONOTONIC);
	service->counted_ns = 0;
	lictor_sinks_digest(service->sinks, set->digest);
}

const struct lictor_ruleset *lictor_service_rules(const struct lictor_service *service)
{
	return service->set;
}

void lictor_service_count(struct lictor_service *service)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);

	if (!service->set || now - service->counted_ns < COUNT_EVERY_NS)
		return;
	service->counted_ns = now;
	lictor_ruleset_count(service->set, service->engine);
	if (service->before)
		lictor_ruleset_count(service->before, service->engine);
}

struct lictor_rule_count lictor_service_total(const struct lictor_service *service,
					      const struct lictor_entry *entry)
{
	struct lictor_rule_count total = entry->before;
	const struct lictor_entry *older =
		service->before ? lictor_ruleset_find(service->before, entry->name) : NULL;

	lictor_count_add(&total, &entry->now);
	if (older)
		lictor_count_add(&total, &older->now);
	return total;
}

/* ---- losses, limits ---- */

/* What a ring lost takes the numbers that its records would have had. */
static void look_for_losses(struct lictor_service *service)
{
	static const char *const name[LICTOR_RINGS] = { "ring of verdicts", "ring of reports" };
	struct lictor_stats now;
	uint64_t lost;
	int ring, error = lictor_engine_stats(service->engine, &now);

	for (ring = 0; !error && ring < LICTOR_RINGS; ring++) {
		lost = now.lost[ring] - service->stats.lost[ring];
		if (now.lost[ring] <= service->stats.lost[ring])
			continue;
		service->sequence += lost;
		tell_lost(service, lost, name[ring], "it was full");
	}
	if (!error)
		service->stats = now;
	lost = service->undecodable - service->undecodable_told;
	service->undecodable_told = service->undecodable;
	if (lost)
		tell_lost(service, lost, "decoder", "malformed");
}

/* A sink's loss is told when it has recovered: before that, the notice would be lost too. */
static void look_at_sink(struct lictor_service *service, size_t index)
{
	const struct lictor_sink_count *seen = &service->seen[index].count;
	struct lictor_sink_count *told = &service->sink[index].count;
	uint64_t lost = seen->lost - told->lost;
	char where[32];

	if (seen->lost <= told->lost || seen->error)
		return;
	told->lost = seen->lost;
	snprintf(where, sizeof(where), "sink %s", service->seen[index].name);
	tell_lost(service, lost, where, "given up");
}

static void look_at_sinks(struct lictor_service *service)
{
	struct lictor_sink_state now[LICTOR_SINKS_MAX];
	size_t sinks = lictor_sinks_counts(service->sinks, now), i;
	bool quiet;

	for (i = 0; i < sinks; i++) {
		quiet = now[i].count.lost == service->seen[i].count.lost;
		service->seen[i] = now[i];
		if (quiet)
			look_at_sink(service, i);
	}
}

void lictor_service_tick(struct lictor_service *service, time_t now)
{
	look_for_losses(service);
	if (now >= service->limits_at) {
		service->limits_at = now + LIMITS_EVERY;
		lictor_engine_limits(service->engine, LIMITS_QUIET, take_limited, service);
	}
	if (service->before && clock_ns(CLOCK_MONOTONIC) - service->flipped_ns > SECOND_NS)
		lictor_service_retire(service);
	if (lictor_sinks_tick(service->sinks, now))
		lictor_service_notice(service, LICTOR_NOTICE_ROTATED, NULL, 0, NULL);
	look_at_sinks(service);
}

void lictor_service_finish(struct lictor_service *service)
{
	drain_all(service);
	lictor_engine_limits(service->engine, 0, take_limited, service);
	look_for_losses(service);
}

/* ---- state ---- */

static uint64_t resident(void)
{
	FILE *file OWN(own_fclose) = fopen("/proc/self/statm", "re");
	unsigned long all, pages;

	if (!file || fscanf(file, "%lu %lu", &all, &pages) != 2)
		return 0;
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void lictor_service_state(struct lictor_service *service, struct lictor_service_state *ret_state)
{
	if (lictor_engine_stats(service->engine, &ret_state->stats))
		ret_state->stats = service->stats;
	ret_state->sequence = service->sequence;
	ret_state->undecodable = service->undecodable;
	ret_state->rss_bytes = resident();
}

static size_t count_sinks(const struct lictor_service *service, size_t filled,
			  struct lictor_counter *counter)
{
	static const char *const names[][3] = {
		{ "json", "json_written", "json_lost" },
		{ "journal", "journal_written", "journal_lost" },
		{ "console", "console_written", "console_lost" },
		{ "watch", "watch_written", "watch_lost" },
	};
	struct lictor_sink_state state[LICTOR_SINKS_MAX];
	size_t sinks = lictor_sinks_counts(service->sinks, state), i, name;

	for (i = 0; i < sinks; i++) {
		for (name = 0; strcmp(names[name][0], state[i].name);)
			name++;
		counter[filled++] = (struct lictor_counter){ names[name][1],
							     state[i].count.written };
		counter[filled++] = (struct lictor_counter){ names[name][2], state[i].count.lost };
	}
	return filled;
}

void lictor_service_canary(struct lictor_service *service)
{
	bool silent = !lictor_engine_alive(service->engine);
	char detail[160], name[16];
	struct lictor_counter counter = { "events", 0 };
	uint32_t pid;
	uint64_t guarded = lictor_engine_guarded(service->engine, &pid, name);

	if (silent != service->silent)
		lictor_service_notice(service, silent ? LICTOR_NOTICE_SILENCED :
							LICTOR_NOTICE_RECOVERED,
				      silent ? "kernel.ftrace_enabled is 0, or another hand has "
					       "taken the programs out of the kernel" : NULL,
				      0, NULL);
	service->silent = silent;
	if (guarded == service->guarded)
		return;
	counter.value = guarded - service->guarded;
	service->guarded = guarded;
	snprintf(detail, sizeof(detail), "process %u (%s) was refused kernel.ftrace_enabled=0", pid,
		 name);
	lictor_service_notice(service, LICTOR_NOTICE_TAMPERING, detail, 1, &counter);
}

void lictor_service_heartbeat(struct lictor_service *service)
{
	struct lictor_service_state state;
	uint64_t decided = 0;
	int event;

	lictor_service_state(service, &state);
	for (event = 0; event < LICTOR_EVENTS; event++)
		decided += state.stats.decided[event];

	struct lictor_counter counter[COUNTERS_MAX] = {
		{ "decided", decided },
		{ "reported_verdicts", state.stats.reported[LICTOR_RING_VERDICTS] },
		{ "reported_reports", state.stats.reported[LICTOR_RING_REPORTS] },
		{ "lost_verdicts", state.stats.lost[LICTOR_RING_VERDICTS] },
		{ "lost_reports", state.stats.lost[LICTOR_RING_REPORTS] },
		{ "undecodable", state.undecodable },
		{ "rss_bytes", state.rss_bytes },
		{ "map_bytes", lictor_engine_memory(service->engine) },
	};

	lictor_service_notice(service, LICTOR_NOTICE_HEARTBEAT, NULL,
			      count_sinks(service, 8, counter), counter);
}
