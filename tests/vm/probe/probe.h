/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the probe share. Each has words, in the table at its end; a word does one thing
 * and returns 0, or the errno of what failed, which the probe exits with.
 */
#ifndef PROBE_H
#define PROBE_H

#include <stdbool.h>
#include <sys/types.h>

struct word {
	const char *word;
	int args;			/* at least */
	int (*run)(char **arg);		/* what follows the word, NULL at the end */
};

/* Each ends with an empty entry. */
extern const struct word probe_main[], probe_file[], probe_exec[], probe_ring[], probe_held[],
	probe_net[], probe_route[], probe_task[], probe_credential[], probe_disguise[], probe_namespace[],
	probe_mount[], probe_fuse[], probe_kernel[], probe_compat[], probe_session[],
	probe_lineage[];

/* ---- main.c ---- */

/* In a function that returns an errno: where the call failed, returns its. */
#define CHECK(call) do { if ((long)(call) < 0) return fault(#call); } while (0)

/* WORD ARGS...: what the word returns */
int run(char **arg);
/* Says what failed, and why by errno, which it returns. */
int fault(const char *what);
/* word: may be NULL, which is no word. */
bool is(const char *word, const char *other);

struct named {
	const char *name;
	int flag;
};

/* Words joined by commas; the table ends with an empty entry. */
int flags_of(const struct named *table, const char *list);
/* The status of a child, 128 + N for a signal. */
int status_of(pid_t child);

/* ---- file.c ---- */

extern const struct named open_words[];		/* for open(2) */
/* A descriptor, or -1 and errno. words: of open_words. */
int open_with(const char *path, const char *words, int mode);

/* ---- exec.c ---- */

/* child PROGRAM ARGS...: run by fork and exec; exits with its status, 128 + N for a signal */
int do_child(char **arg);

/* ---- held.c ---- */

/*
 * GO WAY DONE: a process that was there before the rules uses fd by WAY (`exec`: executes program)
 * when the file GO appears, and another one that was there too leaves its status in DONE.
 */
int hold(int fd, const char *program, char **arg);
/* A child runs the program, and is sent fd by a socket left to it (take), */
int give(int fd, char **program);
/* or finds it in this process (fetch). */
int keep(int fd, char **program);

#endif
