/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sinks: where formatted records go. Each has its own bounded queue, never blocks, and counts what
 * it had to leave out; a stuck sink stalls nobody else, and nothing waits for any sink.
 */
#ifndef LICTOR_SINK_H
#define LICTOR_SINK_H

#include <sys/types.h>

#include <sys/types.h>

#include "output/format.h"

struct lictor_sink_count {
	uint64_t written;	/* records handed over whole */
	uint64_t lost;		/* records given up: the queue was full */
	uint64_t errors;	/* failed attempts */
	size_t queued;		/* bytes waiting */
	int error;		/* errno of the last attempt, 0 if it went well */
};

/* ---- JSON log: O_APPEND, one write a record, whole lines only ---- */

struct lictor_log;

struct lictor_log_options {
	const char *path;
	mode_t mode;		/* 0640 */
	gid_t gid;		/* (gid_t)-1: leave it */
	uint64_t rotate_bytes;	/* 0: never */
	uint64_t rotate_seconds;	/* 0: never */
	unsigned keep;		/* rotated files; 0: all */
	size_t queue_bytes;
	const struct lictor_host *host;
	const char *rules_digest;	/* hex; may be changed by lictor_log_digest() */
};

/*
 * What an administrator has to put right (a link or device at path, no directory, no permission) is
 * returned; a full disk or the like is not: the log is opened then, and tries again at each tick.
 * now, in lictor_log_tick(), is CLOCK_REALTIME's.
 */
int lictor_log_open(const struct lictor_log_options *options, struct lictor_log **ret_log);
void lictor_log_close(struct lictor_log *log);	/* writes what it can */
void lictor_log_digest(struct lictor_log *log, const char *digest);
/* line: one record without a newline. Never fails: what cannot be written waits, or is counted. */
void lictor_log_write(struct lictor_log *log, const char *line, size_t length, uint64_t sequence);
/* Tries again what waits, opens the file anew if it is gone; rotates by size and age. Returns true
   if it rotated. To be called about once a second. */
bool lictor_log_tick(struct lictor_log *log, time_t now);
int lictor_log_rotate(struct lictor_log *log);
void lictor_log_count(const struct lictor_log *log, struct lictor_sink_count *ret_count);

/* ---- journal ---- */

struct lictor_journal;

int lictor_journal_open(size_t queue_bytes, struct lictor_journal **ret_journal);
/* The same for another socket than the system journal's: a journal namespace's, or a test's. */
int lictor_journal_open_at(const char *path, size_t queue_bytes,
			   struct lictor_journal **ret_journal);
void lictor_journal_close(struct lictor_journal *journal);
void lictor_journal_write(struct lictor_journal *journal, const struct lictor_alert *alert);
void lictor_journal_tick(struct lictor_journal *journal);
void lictor_journal_count(const struct lictor_journal *journal,
			  struct lictor_sink_count *ret_count);

#endif
