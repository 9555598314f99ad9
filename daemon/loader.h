/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the engine: what its files share. */
#ifndef LICTOR_LOADER_H
#define LICTOR_LOADER_H

#include <bpf/libbpf.h>

#include "daemon/engine.h"
#include "daemon/mounts.h"

#define LICTOR_BATCHES_MAX (LICTOR_HOOKS + 8) /* each brings a program that was not there */

/* Programs loaded together. The first batch makes the maps, later ones use them. */
struct lictor_batch {
	struct bpf_object *object;
	void *skeleton;
	void (*destroy)(void *skeleton);
};

typedef unsigned __int128 lictor_hook_set;	/* a bit per enum lictor_hook */
#define LICTOR_HOOK_BIT(hook) ((lictor_hook_set)1 << (hook))
_Static_assert(LICTOR_HOOKS <= 128, "hooks fit their set");

struct lictor_engine {
	lictor_engine_log *log;
	size_t batches;
	struct lictor_batch batch[LICTOR_BATCHES_MAX];
	struct lictor_hook_state hook[LICTOR_HOOKS];
	struct bpf_link *link[LICTOR_HOOKS];
	struct bpf_link *tracker[2];
	struct bpf_link *guard;		/* of kernel.ftrace_enabled */
	int guard_error;
	enum lictor_via asked;		/* the way to the LSM table's hooks, or LICTOR_VIAS: the best */
	enum lictor_via way;		/* that was chosen */
	int way_error[LICTOR_VIAS];	/* 0: such programs load and run */
	uint32_t perf_attr;		/* see bpf/scratch.bpf.h */
	uint32_t keeps_cpu;
	bool reads_verity;		/* digests of fs-verity, from an inode's own member */
	uint32_t asks_verity;		/* or by asking the kernel, which LSM programs may */
	int cgroup_error;
	int cgroup_fd;			/* of the root control group, or -errno */
	struct lictor_control *control;	/* the map, shared with the kernel */
	uint64_t generation;		/* in force */
	uint64_t next;			/* see lictor_engine_next() */
	struct lictor_mounts sought;	/* when anchors were looked for last: */
	uint64_t sought_ns;		/* CLOCK_MONOTONIC */
	size_t devices;			/* of the anchors that were found then */
	uint32_t *device;
	struct lictor_mounts table;	/* the mounts that have been looked at */
	size_t stale;			/* late anchors that went since the filter was made */
	uint64_t counted[2];		/* whose counts are in each slot */
	size_t rules[2];
	int image_fd[2];
	int count_fd[2];
	uint64_t image_bytes[2];
	struct ring_buffer *ring[LICTOR_RINGS];
	lictor_engine_record *record;
	void *record_context;
	bool record_stop;
};

void lictor_engine_say(const struct lictor_engine *engine, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int lictor_engine_map(const struct lictor_engine *engine, const char *name);
/* Loads the programs of the hooks in the set (bit per enum lictor_hook) that are not loaded yet. */
int lictor_engine_load(struct lictor_engine *engine, lictor_hook_set hooks);
/* Loads the programs that look at what was there before the rules. */
int lictor_engine_load_scan(struct lictor_engine *engine);
/*
 * start.c: what every process was started with, by the rules of a generation that is about to come
 * into force. 0 or -errno.
 */
int lictor_engine_read_starts(struct lictor_engine *engine, const struct lictor_compiled *compiled,
			      uint64_t generation);
struct bpf_program *lictor_engine_program(const struct lictor_engine *engine, const char *name);
int lictor_engine_attach(struct lictor_engine *engine, enum lictor_hook hook);
void lictor_engine_detach(struct lictor_engine *engine, enum lictor_hook hook);
/* Runs one of the iterators to its end; what it wrote goes to the buffer. Returns bytes or -errno. */
/* This process's open files by the kernel's numbers; file: to be freed. */
struct lictor_opened_files {
	size_t count;
	struct lictor_root_file *file;
};
int lictor_opened_read(struct lictor_engine *engine, struct lictor_opened_files *ret_files);
/* NULL: it is none of them. */
const struct lictor_root_file *lictor_opened_find(const struct lictor_opened_files *files, int fd);
ssize_t lictor_engine_iterate(struct lictor_engine *engine, const char *program, pid_t pid,
			      void *buffer, size_t room);
/* Waits until no program runs that was running. */
void lictor_engine_wait(const struct lictor_engine *engine);
/*
 * What a mount shows at its place, as the kernel knows it. Returns 0 or -errno: -ESTALE if another
 * mount is there, -EAGAIN if finding out means asking somebody (FUSE).
 */
int lictor_engine_object(struct lictor_engine *engine, const struct lictor_mount *mount,
			 struct lictor_root_file *ret);
uint64_t lictor_monotonic_ns(void);
/* With an image: the devices that its anchors are on, before it comes into force; the mounts that
   it does not know of, after that. */
int lictor_engine_note_devices(struct lictor_engine *engine, uint32_t slot);
int lictor_engine_adopt_mounts(struct lictor_engine *engine);
int lictor_engine_rings_open(struct lictor_engine *engine);

#endif
