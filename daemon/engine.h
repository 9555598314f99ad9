/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel side, seen from user space: load programs, install an image, attach the hooks that it
 * needs, flip; drain rings; read counters. The privileged room (bpf(2)); knows no sink and no rule
 * text. It logs through the function it is given.
 */
#ifndef LICTOR_ENGINE_H
#define LICTOR_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "rules/rules.h"

struct lictor_engine;

/* What this kernel lets us do, found out by trying; one line each in `lictor doctor`. */
struct lictor_hook_state {
	const char *hook;	/* its name, the kernel's mostly */
	enum lictor_via way;
	const char *via;	/* its name */
	uint64_t events;	/* that it decides */
	bool loaded;		/* can be: done when rules need it */
	bool attached;
	int error;		/* errno why it cannot be */
};

struct lictor_host_check {
	const char *what;	/* e.g. "BPF LSM" */
	bool good;
	char detail[160];	/* what was found, and what to do */
};

typedef void lictor_engine_log(int priority, const char *text);

/*
 * Finds the way to each hook, and loads the programs that are always there; the others are loaded
 * when rules need them. Returns 0, -ENOSYS if the kernel cannot carry Lictor
 * at all (no BTF, no task storage: older than 5.11), -EPERM without the capabilities, or what bpf(2)
 * said. way: LICTOR_VIA_LSM, _FMOD_RET or _KPROBE for the hooks of the LSM table, LICTOR_VIAS for
 * the best that there is. What was found is in lictor_engine_hooks() and, also after failure, in
 * lictor_host_checks().
 */
int lictor_engine_open(lictor_engine_log *log, enum lictor_via way,
		       struct lictor_engine **ret_engine);
void lictor_engine_close(struct lictor_engine *engine);
size_t lictor_engine_hooks(const struct lictor_engine *engine,
			   const struct lictor_hook_state **ret_hook);
/* Needs no engine and no privilege beyond reading. */
size_t lictor_host_checks(struct lictor_host_check *check, size_t room);
/* Are there control groups of version 2 only? */
bool lictor_host_unified(void);

/*
 * How strongly this kernel can carry out an action for an event: the strongest enum lictor_action
 * that can (LICTOR_ACTION_NONE: the event is not even seen), and in ret_why a text for people where
 * that is less than KILL.
 */
enum lictor_action lictor_engine_can(const struct lictor_engine *engine, enum lictor_event event,
				     const char **ret_why);

/* A part of an event that nothing tells of here, though it is told of the event. */
struct lictor_gap {
	enum lictor_event event;
	int field;	/* that tells the part from the rest; LICTOR_FIELD_NONE: none does */
	uint64_t values;	/* of the field in this part, a bit each; see lictor_rule_values() */
	uint64_t lost;	/* those of them with which nothing is seen, in no other part either */
	const char *what;
	const char *why;
};
#define LICTOR_GAPS_MAX 24u
size_t lictor_engine_gaps(const struct lictor_engine *engine, struct lictor_gap *ret_gap);

/*
 * Is there ever a value of the field that the event has? If not: why, and whether a rule that names
 * the field holds where it fails closed (doubt), or never.
 */
bool lictor_engine_knows(const struct lictor_engine *engine, enum lictor_event event, int field,
			 bool *ret_doubt, const char **ret_why);

/* Looks up the anchors of the rules' roots and of every mount, through the kernel's own eyes. */
int lictor_engine_anchors(struct lictor_engine *engine, size_t roots,
			  const struct lictor_root *root, struct lictor_arena *arena,
			  size_t *ret_anchors, struct lictor_anchor_found **ret_anchor);

/*
 * Tells the kernel side of the mounts that there are now; see /proc/self/mountinfo, EPOLLPRI.
 * Returns 1 if it must be asked again in some seconds, 0, or a negative errno.
 */
int lictor_engine_follow_mounts(struct lictor_engine *engine);

/*
 * Puts the image into the slot that is not in force, classifies every process under it, attaches
 * what its events need, flips, and detaches what is no longer needed. Either all of it or nothing:
 * on failure the generation in force stays.
 */
int lictor_engine_install(struct lictor_engine *engine, const struct lictor_compiled *compiled);
/*
 * SIGKILL to the process that has this number and started then: for what a record calls preexisting
 * and due to be killed. -ESRCH: it has gone.
 */
int lictor_engine_kill(uint32_t pid, uint64_t start_ns);
/* Where a file of a record may be found again. */
struct lictor_whereabouts {
	size_t pids;
	uint32_t pid[2];	/* of processes that run it, or in whose root directory it is */
	size_t paths;
	struct {
		const char *byte;	/* absolute; no NUL at its end */
		size_t length;
	} path[2];
};
/*
 * A descriptor (O_PATH) of that very file, to be closed. Nobody is waited for: what is not in the
 * kernel's memory is not looked for. -ENOENT: it is in none of these places; -EREMOTE: it is on a
 * file system whose server could keep us waiting; or another -errno.
 */
int lictor_engine_find(struct lictor_engine *engine, const struct lictor_inode *inode,
		       const struct lictor_whereabouts *where);
/* The path of a program by its number in a record; false if it is not known any more. */
bool lictor_engine_program_path(const struct lictor_engine *engine, uint64_t program,
			   struct lictor_program *ret_program);
/* Do attached programs run? They stop without a word when ftrace is switched off. */
bool lictor_engine_alive(const struct lictor_engine *engine);
/* How often that was refused to somebody, and who it was last: pid and comm. */
uint64_t lictor_engine_guarded(const struct lictor_engine *engine, uint32_t *ret_pid,
			       char ret_name[static 16]);
/*
 * The generation that the next image must have been compiled for. Odd and even ones take turns; the
 * number of an image that failed to be installed is not used again.
 */
uint64_t lictor_engine_next(const struct lictor_engine *engine);

/*
 * The rings: one descriptor to poll; consume calls back for each record, verdicts first, until the
 * rings are empty or the callback returns false: the record is then taken, later ones stay. (A
 * flood fills the rings as fast as they are drained; somebody has to look after signals too.)
 */
typedef bool lictor_engine_record(void *context, const void *record, size_t size);
int lictor_engine_fd(const struct lictor_engine *engine);
int lictor_engine_consume(struct lictor_engine *engine, lictor_engine_record *record,
			  void *context);

/*
 * Counters summed over CPUs. Of the rules as in the compiled image, for the generation in force or
 * the one before it (until the next install); -ESTALE for others.
 * The stats go on from one generation to the next.
 */
int lictor_engine_rule_counts(const struct lictor_engine *engine, uint64_t generation,
			      size_t rules, struct lictor_rule_count *ret_count);
int lictor_engine_stats(const struct lictor_engine *engine, struct lictor_stats *ret_stats);

/* Suppressed reports whose process has gone quiet since before `quiet_ns` ago: told and cleared. */
typedef void lictor_engine_limited(void *context, const struct lictor_limit_key *key,
				   uint32_t suppressed);
int lictor_engine_limits(struct lictor_engine *engine, uint64_t quiet_ns,
			 lictor_engine_limited *limited, void *context);

/* Bytes of kernel memory that the maps hold. */
uint64_t lictor_engine_memory(const struct lictor_engine *engine);
/* Name, bytes of each map, for `lictor status`. Returns how many there are. */
struct lictor_map_memory {
	char name[16];
	uint64_t bytes;
};
size_t lictor_engine_maps(const struct lictor_engine *engine, struct lictor_map_memory *map,
			  size_t room);

#endif
