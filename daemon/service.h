/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker: from the rings to the sinks, and what the daemon tells of itself. Needs no privilege
 * but the rings and counters of an engine that is open.
 */
#ifndef LICTOR_SERVICE_H
#define LICTOR_SERVICE_H

#include "daemon/engine.h"
#include "daemon/ruleset.h"
#include "daemon/sinks.h"

struct lictor_service;

/* hash: whether records have the hashes of programs. */
int lictor_service_new(struct lictor_engine *engine, struct lictor_sinks *sinks, bool hash,
		       struct lictor_service **ret_service);
void lictor_service_free(struct lictor_service *service);

/*
 * Before each install: what is left of the generation before the one in force is read, added up and
 * forgotten. After it: the set that is now in force is handed over; records of the one before are
 * still named by its labels until retire, which the tick calls by itself a second later.
 */
void lictor_service_retire(struct lictor_service *service);
void lictor_service_adopt(struct lictor_service *service, struct lictor_ruleset *set);
/* The set in force, NULL before the first. */
const struct lictor_ruleset *lictor_service_rules(const struct lictor_service *service);

/* Whether kill rules kill what was there before them, too (else it is only reported). */
void lictor_service_preexisting(struct lictor_service *service, bool enforce);

/* A batch of what is in the rings. Returns 0: they are empty, 1: there may be more, or -errno. */
int lictor_service_drain(struct lictor_service *service);
/* Once a second: losses, limits, sinks. */
void lictor_service_tick(struct lictor_service *service, time_t now);
/* Twice a second: does enforcement run, and has anybody tried to stop it? */
void lictor_service_canary(struct lictor_service *service);
/* Before the end: everything that is still to be told. */
void lictor_service_finish(struct lictor_service *service);

void lictor_service_notice(struct lictor_service *service, enum lictor_notice notice,
			   const char *detail, size_t counters,
			   const struct lictor_counter *counter);
void lictor_service_heartbeat(struct lictor_service *service);

/* Reads the rules' counters anew, but not more than ten times a second. */
void lictor_service_count(struct lictor_service *service);
/* All generations together. */
struct lictor_rule_count lictor_service_total(const struct lictor_service *service,
					      const struct lictor_entry *entry);

struct lictor_service_state {
	struct lictor_stats stats;
	uint64_t sequence;	/* of what was told last */
	uint64_t undecodable;
	uint64_t rss_bytes;
};

void lictor_service_state(struct lictor_service *service, struct lictor_service_state *ret_state);

#endif
