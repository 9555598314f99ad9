/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged room: what processes were started with that were there before the rules, for rules
 * that ask for it. What they had at exec is kept only in part, so the rest is read from /proc, which
 * takes it from their memory without asking anybody else for it (a file system in user space), and
 * is classified here as the kernel side does. In: a compiled image. Out: a value in the map
 * `read_starts` for each process, with the number of programs that it had executed: one more makes
 * it stale. May touch: that map, /proc, reading.
 */
#include "daemon/loader.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/own.h"
#include "daemon/process.h"
#include "rules/host.h"

OWNABLE(DIR, closedir)

struct starting {
	struct lictor_host_image image;
	uint32_t slot;
	uint32_t generation;
	int starts, read_starts, histories;	/* maps */
	int proc;
	struct lictor_work work;
	char text[LICTOR_TEXT_SIZE];
};

/* A file of a process, in pieces. Returns false if it cannot be read, or is too long. */
static bool classify_file(struct starting *s, int dir, const char *name, enum lictor_space space,
			  struct lictor_hits *hits)
{
	struct lictor_reading reading = {
		.tables = &s->image, .text = s->text, .work = &s->work, .hits = hits,
		.entries = space == LICTOR_SPACE_ENV,
	};
	int fd OWN(own_close) = -1;
	char last = '\0';
	size_t total = 0;
	ssize_t length;

	lictor_pieces_begin(&reading, space);
	/* No rule asks for it. */
	if (!lictor_pieces_automata(&reading))
		return true;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	/* Of arguments, the NUL at their end is held back: there it ends nothing. */
	while ((length = read(fd, s->text + 1, LICTOR_PATH_MAX - 1)) > 0) {
		bool held = total && space == LICTOR_SPACE_ARGS;

		s->text[0] = last;
		last = s->text[length];
		reading.start = held ? 0 : 1;
		reading.length = (uint32_t)length - (space == LICTOR_SPACE_ARGS) + held;
		lictor_pieces_read(&reading);
		total += (size_t)length;
		if (total > LICTOR_START_MAX)
			return false;
	}
	lictor_pieces_end(&reading);
	return length == 0;
}

/* The arguments as they were at exec, if all of them were kept. */
static bool classify_kept(struct starting *s, int pidfd, struct lictor_hits *hits)
{
	struct lictor_reading reading = {
		.tables = &s->image, .text = s->text, .work = &s->work, .hits = hits,
	};
	struct lictor_history history;

	if (bpf_map_lookup_elem(s->histories, &pidfd, &history) || !history.args_length ||
	    history.args_length != history.args_total || history.args_length > LICTOR_ARGS_KEPT)
		return false;
	memcpy(s->text, history.args, history.args_length - 1);
	reading.length = history.args_length - 1;
	lictor_pieces_begin(&reading, LICTOR_SPACE_ARGS);
	lictor_pieces_read(&reading);
	lictor_pieces_end(&reading);
	return true;
}

static void settle(struct lictor_hits *hits, bool known)
{
	if (!known)
		hits->state = LICTOR_UNKNOWN;
	lictor_hits_same(hits);
}

/* One process; what cannot be found out of it stays unknown. */
static void classify_process(struct starting *s, uint32_t pid)
{
	int dir OWN(own_close) = -1, pidfd OWN(own_close) = (int)syscall(SYS_pidfd_open, pid, 0);
	struct lictor_start start = { 0 };
	struct lictor_read_start read = { 0 };
	struct lictor_started *mine = &read.under[s->slot];
	char program;

	if (pidfd < 0 || lictor_process_open(s->proc, pid, &dir))
		return;
	/* No memory to read: a kernel thread, or the first thread has ended. Empty is something else. */
	if (readlinkat(dir, "exe", &program, sizeof(program)) < 0)
		return;
	(void)bpf_map_lookup_elem(s->starts, &pidfd, &start);
	(void)bpf_map_lookup_elem(s->read_starts, &pidfd, &read);
	mine->execs = start.execs;
	settle(&mine->args, classify_kept(s, pidfd, &mine->args) ||
				    classify_file(s, dir, "cmdline", LICTOR_SPACE_ARGS, &mine->args));
	settle(&mine->env, classify_file(s, dir, "environ", LICTOR_SPACE_ENV, &mine->env));
	mine->repeated = s->work.repeated;
	mine->generation = s->generation;
	(void)bpf_map_update_elem(s->read_starts, &pidfd, &read, BPF_ANY);
}

int lictor_engine_read_starts(struct lictor_engine *engine, const struct lictor_compiled *compiled,
			      uint64_t generation)
{
	const struct lictor_image *image = (const void *)compiled->image;
	struct starting *s OWN(own_free) = NULL;
	DIR *proc OWN(own_closedir) = NULL;
	struct dirent *entry;

	if (!(image->starts & LICTOR_STARTS_ASKED))
		return 0;
	s = calloc(1, sizeof(*s));
	proc = opendir("/proc");
	if (!s || !proc)
		return s ? -errno : -ENOMEM;
	*s = (struct starting){
		.image = { compiled->image, compiled->pages },
		.slot = generation & 1,
		.generation = (uint32_t)generation,
		.starts = lictor_engine_map(engine, "starts"),
		.read_starts = lictor_engine_map(engine, "read_starts"),
		.histories = lictor_engine_map(engine, "histories"),
		.proc = dirfd(proc),
	};
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			classify_process(s, (uint32_t)strtoul(entry->d_name, NULL, 10));
	return 0;
}
