/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes back from the kernel: records from the rings, counters, token buckets. In: the maps.
 * Out: callbacks and sums. May touch: the engine's maps.
 */
#include "daemon/loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static int take(void *context, void *data, size_t size)
{
	struct lictor_engine *engine = context;

	if (engine->record(engine->record_context, data, size))
		return 0;
	/* libbpf has advanced past this record already; an error only ends the round. */
	engine->record_stop = true;
	return -ECANCELED;
}

int lictor_engine_rings_open(struct lictor_engine *engine)
{
	static const char *const name[LICTOR_RINGS] = {
		[LICTOR_RING_VERDICTS] = "verdicts",
		[LICTOR_RING_REPORTS] = "reports",
	};

	for (int i = 0; i < LICTOR_RINGS; i++) {
		engine->ring[i] = ring_buffer__new(lictor_engine_map(engine, name[i]), take, engine,
						   NULL);
		if (!engine->ring[i])
			return -errno;
	}
	return 0;
}

int lictor_engine_fd(const struct lictor_engine *engine)
{
	return ring_buffer__epoll_fd(engine->ring[LICTOR_RING_VERDICTS]);
}

int lictor_engine_consume(struct lictor_engine *engine, lictor_engine_record *record,
			  void *context)
{
	engine->record = record;
	engine->record_context = context;
	engine->record_stop = false;
	for (int i = 0; i < LICTOR_RINGS && !engine->record_stop; i++) {
		int consumed = ring_buffer__consume(engine->ring[i]);

		if (consumed < 0 && !engine->record_stop)
			return consumed;
	}
	return 0;
}

int lictor_engine_rule_counts(const struct lictor_engine *engine, uint64_t generation,
			      size_t rules, struct lictor_rule_count *ret_count)
{
	uint32_t slot = generation & 1;
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 0)
		return cpus;
	if (!generation || engine->counted[slot] != generation || rules > engine->rules[slot])
		return -ESTALE;
	memset(ret_count, 0, rules * sizeof(*ret_count));
	for (uint32_t i = 0; i < rules * (size_t)cpus; i++) {
		uint32_t index = i / (uint32_t)rules * (uint32_t)engine->rules[slot] +
				 i % (uint32_t)rules;
		struct lictor_rule_count each, *sum = &ret_count[i % rules];
		int error = bpf_map_lookup_elem(engine->count_fd[slot], &index, &each);

		if (error)
			return error;
		sum->matched += each.matched;
		sum->reported += each.reported;
		sum->limited += each.limited;
		sum->lost += each.lost;
	}
	return 0;
}

int lictor_engine_stats(const struct lictor_engine *engine, struct lictor_stats *ret_stats)
{
	int cpus = libbpf_num_possible_cpus(), error;
	uint64_t *sum = (uint64_t *)(void *)ret_stats;
	uint32_t zero = 0;
	uint64_t *each;

	_Static_assert(sizeof(*ret_stats) % sizeof(uint64_t) == 0, "stats are 64-bit counters");
	if (cpus < 0)
		return cpus;
	each = calloc((size_t)cpus, sizeof(*ret_stats));
	if (!each)
		return -ENOMEM;
	error = bpf_map_lookup_elem(lictor_engine_map(engine, "stats"), &zero, each);
	memset(ret_stats, 0, sizeof(*ret_stats));
	for (size_t i = 0; !error && i < (size_t)cpus * (sizeof(*ret_stats) / sizeof(*each)); i++)
		sum[i % (sizeof(*ret_stats) / sizeof(*each))] += each[i];
	free(each);
	return error;
}

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

int lictor_engine_limits(struct lictor_engine *engine, uint64_t quiet_ns,
			 lictor_engine_limited *limited, void *context)
{
	int map = lictor_engine_map(engine, "limits");
	struct lictor_limit_key key, next;
	struct lictor_limit limit;
	uint64_t now = boot_ns();
	bool more = bpf_map_get_next_key(map, NULL, &next) == 0;

	while (more) {
		key = next;
		more = bpf_map_get_next_key(map, &key, &next) == 0;
		if (bpf_map_lookup_elem(map, &key, &limit) || !limit.suppressed ||
		    now - limit.since_ns < quiet_ns)
			continue;
		/* Taken out whole: what comes in between starts a new bucket. */
		if (bpf_map_lookup_and_delete_elem(map, &key, &limit) == 0 && limit.suppressed)
			limited(context, &key, limit.suppressed);
	}
	return 0;
}

/* ---- memory ---- */

static uint64_t map_bytes(int fd)
{
	char path[64], line[128];
	uint64_t bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %lu", &bytes) == 1)
			break;
	if (file)
		fclose(file);
	return bytes;
}

size_t lictor_engine_maps(const struct lictor_engine *engine, struct lictor_map_memory *map,
			  size_t room)
{
	static const char *const name[] = {
		"control", "stats", "subjects", "limits", "verdicts", "reports", "scratch",
	};
	size_t count = 0;

	for (size_t i = 0; i < sizeof(name) / sizeof(*name) && count < room; i++, count++) {
		snprintf(map[count].name, sizeof(map[count].name), "%s", name[i]);
		map[count].bytes = map_bytes(lictor_engine_map(engine, name[i]));
	}
	for (int slot = 0; slot < 2; slot++) {
		const int fd[2] = { engine->image_fd[slot], engine->count_fd[slot] };
		static const char *const what[2] = { "image", "rule_counts" };

		for (int i = 0; i < 2 && count < room; i++) {
			if (fd[i] < 0)
				continue;
			snprintf(map[count].name, sizeof(map[count].name), "%s", what[i]);
			map[count++].bytes = map_bytes(fd[i]);
		}
	}
	return count;
}

uint64_t lictor_engine_memory(const struct lictor_engine *engine)
{
	struct lictor_map_memory map[16];
	size_t maps = lictor_engine_maps(engine, map, 16);
	uint64_t bytes = 0;

	for (size_t i = 0; i < maps; i++)
		bytes += map[i].bytes;
	return bytes;
}
