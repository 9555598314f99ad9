/* SPDX-License-Identifier: Apache-2.0 */
/* All sinks together: what is told is told to each of them. */
#ifndef LICTOR_SINKS_H
#define LICTOR_SINKS_H

#include "daemon/config.h"
#include "output/sink.h"

struct lictor_clients;
struct lictor_sinks;

struct lictor_sinks_options {
	const struct lictor_config *config;	/* read while opening only */
	const struct lictor_host *host;
	const char *rules_digest;
	struct lictor_clients *clients;	/* whose clients watch */
	bool foreground;	/* the short form on stdout */
};

/* A sink that cannot be opened now is tried again by the tick; it is said why. */
int lictor_sinks_open(const struct lictor_sinks_options *options, struct lictor_sinks **ret_sinks);
void lictor_sinks_close(struct lictor_sinks *sinks);
void lictor_sinks_tell(struct lictor_sinks *sinks, const struct lictor_alert *alert);
void lictor_sinks_digest(struct lictor_sinks *sinks, const char *rules_digest);
/* Returns true if the log was rotated. */
bool lictor_sinks_tick(struct lictor_sinks *sinks, time_t now);
/* -ENODATA: no log is kept. */
int lictor_sinks_rotate(struct lictor_sinks *sinks);

#define LICTOR_SINKS_MAX 4u

struct lictor_sink_state {
	const char *name;	/* json, journal, console, watch */
	struct lictor_sink_count count;
};

size_t lictor_sinks_counts(const struct lictor_sinks *sinks,
			   struct lictor_sink_state state[LICTOR_SINKS_MAX]);

#endif
