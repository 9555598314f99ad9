/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the engine: what loader.c, install.c, ring.c and anchors.c share. */
#ifndef LICTOR_LOADER_H
#define LICTOR_LOADER_H

#include <bpf/libbpf.h>

#include "daemon/engine.h"

struct lictor_bpf;

#define LICTOR_BATCHES_MAX 16

/* Programs loaded together. The first batch makes the maps, later ones use them. */
struct lictor_batch {
	struct lictor_bpf *skeleton;
};

struct lictor_engine {
	lictor_engine_log *log;
	size_t batches;
	struct lictor_batch batch[LICTOR_BATCHES_MAX];
	struct lictor_hook_state hook[LICTOR_HOOKS];
	struct bpf_link *link[LICTOR_HOOKS];
	struct bpf_link *tracker[2];
	int lsm_error;			/* 0: LSM programs load and run */
	int cgroup_error;
	int cgroup_fd;			/* of the root control group, or -1 */
	struct lictor_control *control;	/* the map, shared with the kernel */
	uint64_t generation;
	size_t rules[2];		/* in each slot */
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
int lictor_engine_load(struct lictor_engine *engine, uint64_t hooks);
struct bpf_program *lictor_engine_program(const struct lictor_engine *engine, const char *name);
int lictor_engine_attach(struct lictor_engine *engine, enum lictor_hook hook);
void lictor_engine_detach(struct lictor_engine *engine, enum lictor_hook hook);
/* Runs one of the iterators to its end; what it wrote goes to the buffer. Returns bytes or -errno. */
ssize_t lictor_engine_iterate(struct lictor_engine *engine, const char *program, pid_t pid,
			      void *buffer, size_t room);
int lictor_engine_rings_open(struct lictor_engine *engine);

#endif
