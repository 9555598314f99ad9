/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sinks: the JSON log. Formatted records come in; the file gets them whole and in order, each file
 * behind a header of its own. What cannot be written now waits in a bounded queue for the next
 * tick; what does not fit there is counted. Touches the log's file and its rotated brothers.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "output/log-file.h"
#include "output/queue.h"
#include "output/sink.h"

struct lictor_log {
	struct lictor_log_options options;	/* path is ours */
	char *path;
	char digest[130];
	struct lictor_log_file file;
	char previous[LICTOR_UUID_TEXT];	/* uuid of the file before; "": none known */
	struct lictor_queue queue;
	struct lictor_line line;		/* room to put a record and its newline together */
	uint64_t next_sequence;			/* after the last record seen; 0: none yet */
	bool stuck;				/* the last record did not go: wait for the tick */
	struct lictor_sink_count count;
};

static void log_free(struct lictor_log **log)
{
	if (!*log)
		return;
	lictor_log_file_close(&(*log)->file);
	lictor_queue_done(&(*log)->queue);
	lictor_line_done(&(*log)->line);
	free((*log)->path);
	free(*log);
}

static int failed(struct lictor_log *log, int r)
{
	log->count.errors++;
	log->count.error = -r;
	return r;
}

static void new_uuid(char *ret_text)
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), GRND_NONBLOCK) != sizeof(b)) {
		struct timespec time;

		clock_gettime(CLOCK_REALTIME, &time);
		memset(b, 0, sizeof(b));
		memcpy(b, &time, sizeof(b) < sizeof(time) ? sizeof(b) : sizeof(time));
	}
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(ret_text, LICTOR_UUID_TEXT,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
}

/* ---- the file ---- */

/* Leaves the file; the next one will name it as the one before. */
static void leave(struct lictor_log *log)
{
	if (log->file.fd >= 0 && log->file.uuid[0])
		memcpy(log->previous, log->file.uuid, sizeof(log->previous));
	lictor_log_file_close(&log->file);
}

static int open_file(struct lictor_log *log)
{
	int r = lictor_log_file_open(log->path, log->options.mode, log->options.gid, &log->file);

	if (!r && log->file.grant)
		log->count.errors++;
	return r;
}

/* Writes the header into an empty file. */
static int write_header(struct lictor_log *log, uint64_t sequence)
{
	char uuid[LICTOR_UUID_TEXT];
	struct lictor_log_header header = {
		.uuid = uuid,
		.rules_digest = log->digest,
		.first_sequence = sequence,
		.previous_uuid = log->previous[0] ? log->previous : NULL,
	};
	struct timespec time;
	int r;

	new_uuid(uuid);
	clock_gettime(CLOCK_REALTIME, &time);
	lictor_line_reset(&log->line);
	lictor_format_header(&header, log->options.host, time, &log->line);
	lictor_line_text(&log->line, "\n");
	if (log->line.failed)
		return -ENOMEM;
	r = lictor_log_file_append(&log->file, log->line.byte, log->line.length);
	if (r)
		return r;
	memcpy(log->file.uuid, uuid, sizeof(uuid));
	log->file.created = time.tv_sec;
	log->file.header = (off_t)log->line.length;
	return 0;
}

/* An open file with a name and a header, whatever happened to the one before. */
static int ready(struct lictor_log *log, uint64_t sequence)
{
	off_t size = log->file.fd < 0 ? -ESTALE : lictor_log_file_size(&log->file);
	int r = 0;

	if (size == -ESTALE) {
		leave(log);
		r = open_file(log);
		size = r ? r : lictor_log_file_size(&log->file);
	}
	if (size < 0)
		return (int)size;
	if (size > 0)
		return 0;
	/* Somebody emptied it: it is a new file to whoever reads it. */
	if (log->file.uuid[0])
		memcpy(log->previous, log->file.uuid, sizeof(log->previous));
	log->file.uuid[0] = '\0';
	return write_header(log, sequence);
}

/* ---- records ---- */

static int try_append(struct lictor_log *log, const char *bytes, size_t length, uint64_t sequence)
{
	int r = ready(log, sequence);

	if (r)
		return r;
	lictor_line_reset(&log->line);
	lictor_line_add(&log->line, bytes, length);
	lictor_line_text(&log->line, "\n");
	if (log->line.failed)
		return -ENOMEM;
	return lictor_log_file_append(&log->file, log->line.byte, log->line.length);
}

static int append(struct lictor_log *log, const char *bytes, size_t length, uint64_t sequence)
{
	int r = try_append(log, bytes, length, sequence);

	log->stuck = r;
	if (r)
		return failed(log, r);
	log->count.written++;
	log->count.error = 0;
	return 0;
}

static void drain(struct lictor_log *log)
{
	struct lictor_queued first;

	while ((first = lictor_queue_first(&log->queue)).byte) {
		if (append(log, first.byte, first.length, first.sequence))
			return;
		lictor_queue_pop(&log->queue);
	}
}

void lictor_log_write(struct lictor_log *log, const char *line, size_t length, uint64_t sequence)
{
	log->next_sequence = sequence + 1;
	if (!log->stuck && !log->queue.records && !append(log, line, length, sequence))
		return;
	if (!lictor_queue_push(&log->queue, line, length, sequence))
		log->count.lost++;
}

/* ---- life ---- */

/* What an administrator has to put right; of all else it may be hoped that it passes. */
static bool is_refusal(int r)
{
	return r != -ENOSPC && r != -EDQUOT && r != -EIO && r != -ENFILE && r != -EMFILE &&
	       r != -ENOMEM && r != -EROFS && r != -EFBIG;
}

int lictor_log_open(const struct lictor_log_options *options, struct lictor_log **ret_log)
{
	__attribute__((cleanup(log_free))) struct lictor_log *log = calloc(1, sizeof(*log));
	int r;

	if (!log)
		return -ENOMEM;
	log->file.fd = -1;
	log->options = *options;
	log->queue.room = options->queue_bytes;
	log->path = strdup(options->path);
	if (!log->path)
		return -ENOMEM;
	lictor_log_digest(log, options->rules_digest);
	r = open_file(log);
	if (r && is_refusal(r))
		return r;
	if (r)
		failed(log, r);
	*ret_log = log;
	log = NULL;
	return 0;
}

void lictor_log_close(struct lictor_log *log)
{
	if (!log)
		return;
	drain(log);
	log_free(&log);
}

void lictor_log_digest(struct lictor_log *log, const char *digest)
{
	snprintf(log->digest, sizeof(log->digest), "%s", digest ? digest : "");
}

int lictor_log_rotate(struct lictor_log *log)
{
	int r;

	drain(log);
	if (log->file.fd >= 0 && lictor_log_file_named(&log->file, log->path)) {
		r = lictor_log_file_move_aside(log->path);
		if (r)
			return failed(log, r);
		if (log->options.keep)
			lictor_log_file_prune(log->path, log->options.keep);
	}
	leave(log);
	r = ready(log, log->next_sequence ? log->next_sequence : 1);
	if (r)
		return failed(log, r);
	drain(log);
	return 0;
}

static bool due(const struct lictor_log *log, time_t now)
{
	off_t size = log->file.fd < 0 ? -1 : lictor_log_file_size(&log->file);

	if (size <= log->file.header)
		return false;
	if (log->options.rotate_bytes && (uint64_t)size >= log->options.rotate_bytes)
		return true;
	return log->options.rotate_seconds && log->file.created &&
	       now - log->file.created >= (time_t)log->options.rotate_seconds;
}

/* Looks after the file when there is nothing to write. */
static void keep_ready(struct lictor_log *log)
{
	int r = 0;

	if (log->next_sequence)
		r = ready(log, log->next_sequence);
	else if (log->file.fd < 0)
		r = open_file(log);
	if (r)
		failed(log, r);
	else
		log->count.error = 0;
	log->stuck = r;
}

bool lictor_log_tick(struct lictor_log *log, time_t now)
{
	if (log->file.fd >= 0 && !lictor_log_file_named(&log->file, log->path))
		leave(log);
	if (log->queue.records)
		drain(log);
	else
		keep_ready(log);
	return due(log, now) && !lictor_log_rotate(log);
}

void lictor_log_count(const struct lictor_log *log, struct lictor_sink_count *ret_count)
{
	*ret_count = log->count;
	ret_count->queued = log->queue.bytes;
}
