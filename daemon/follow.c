/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged room: mounts that are made after the rules came into force. The kernel side names
 * each one within the mount itself; here these names are put right when the table of mounts has
 * changed, and what it has not seen (a tree moved by kprobes' ways, mounts between the search for
 * anchors and the installation) is looked up. May touch: the maps of late anchors and devices,
 * /proc/self/mountinfo, places of mounts that nothing else has told of.
 */
#include "daemon/loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/own.h"
#include "rules/host.h"

/* How long it takes, at most, from announcing a mount to making it. */
#define SETTLED_NS 5000000000ull
/* Names that may go before the filter is made anew. */
#define STALE 64

struct names {
	size_t count;
	bool lost;	/* there are more, or longer ones */
	int mount[LICTOR_LATE_NAMES];	/* that has it; 0: the whole that the mount is part of */
	char name[LICTOR_LATE_NAMES][LICTOR_LATE_NAME + 1];	/* padded with zeros */
};

/* What the kernel side knows: of each object, number 0. */
struct known {
	size_t count;
	struct object {
		struct lictor_late_key key;
		struct lictor_late first;
	} *object;
};

static void free_known(struct known *known)
{
	free(known->object);
}

uint64_t lictor_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void add_name(struct names *names, const char *name, int mount)
{
	size_t length = strlen(name);

	if (length < 2)
		return;
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->name[i], name))
			return;
	if (names->count == LICTOR_LATE_NAMES || length > LICTOR_LATE_NAME) {
		names->lost = true;
		return;
	}
	names->mount[names->count] = mount;
	memcpy(names->name[names->count++], name, length + 1);
}

static void known_names(int map, struct lictor_late_key key, const struct lictor_late *first,
			struct names *ret)
{
	*ret = (struct names){ 0 };
	for (key.number = 0; key.number < first->names; key.number++) {
		struct lictor_late late;

		if (bpf_map_lookup_elem(map, &key, &late) || late.length > LICTOR_LATE_NAME)
			continue;
		ret->mount[ret->count] = (int)late.mount;
		memcpy(ret->name[ret->count], late.name, late.length);
		ret->count++;
		if (ret->count == LICTOR_LATE_NAMES)
			break;
	}
}

/* A part is where its mount is, and has its place in the whole. If it has not all of its names, it
   has none: then the object above it counts, whose names are known. */
static void names_of_mount(const struct lictor_mounts *table, const struct lictor_mount *mount,
			   struct names *ret)
{
	char name[PATH_MAX];

	add_name(ret, mount->path, mount->id);
	for (size_t i = 0; strcmp(mount->root, "/") && i < table->count; i++)
		if (lictor_mount_within(mount, &table->mount[i], name))
			add_name(ret, name, 0);
	if (strcmp(mount->root, "/") && ret->lost)
		ret->count = 0;
}

static void names_of_part(const struct lictor_mounts *table, uint32_t dev,
			  const struct names *known, struct names *ret)
{
	for (size_t k = 0; k < known->count; k++)
		for (size_t i = 0; known->mount[k] && !ret->lost && i < table->count; i++)
			if (table->mount[i].id == known->mount[k] && table->mount[i].dev == dev)
				names_of_mount(table, &table->mount[i], ret);
}

/* What is known and holds comes first: of more names than are kept, the older ones are. */
static void names_of_whole(const struct lictor_mounts *table, uint32_t dev,
			   const struct names *known, struct names *ret)
{
	for (size_t k = 0; k <= known->count; k++)
		for (size_t i = 0; i < table->count; i++)
			if (table->mount[i].dev == dev && !strcmp(table->mount[i].root, "/") &&
			    (k == known->count || !strcmp(table->mount[i].path, known->name[k])))
				add_name(ret, table->mount[i].path, table->mount[i].id);
}

/* The kernel side adds bits to both filters; here one is in use and the other is made. */
static void mark(struct lictor_engine *engine, const struct lictor_late_key *key)
{
	uint32_t bit = lictor_anchor_bit(key->ino, key->dev);

	for (int i = 0; i < 2; i++)
		__atomic_fetch_or(&engine->control->late_filter[i][bit / 64], 1ull << (bit % 64),
				  __ATOMIC_RELEASE);
}

/* Number 0, which has the count, is written last, and goes first. */
static void write_names(struct lictor_engine *engine, struct lictor_late_key key,
			const struct names *names, const struct lictor_late *first)
{
	int map = lictor_engine_map(engine, "late_anchors");

	if (names->count)
		mark(engine, &key);
	else
		engine->stale++;
	for (size_t n = names->count; n-- > 0;) {
		struct lictor_late late = {
			.since_ns = first->since_ns,
			.length = (uint16_t)strlen(names->name[n]),
			.names = (uint16_t)names->count,
			.part = first->part,
			.mount = (uint32_t)names->mount[n],
			.announced = first->announced,
		};

		key.number = (uint32_t)n;
		memcpy(late.name, names->name[n], late.length);
		bpf_map_update_elem(map, &key, &late, BPF_ANY);
	}
	for (size_t n = names->count; n < LICTOR_LATE_NAMES; n++) {
		key.number = (uint32_t)n;
		bpf_map_delete_elem(map, &key);
	}
}

/* Has the kernel not named the object once more since it was read? */
static bool is_as_read(int map, const struct object *object)
{
	struct lictor_late now;

	return !bpf_map_lookup_elem(map, &object->key, &now) &&
	       now.since_ns == object->first.since_ns && now.names == object->first.names;
}

/*
 * Puts the names of an object right, by a table that was read after what is known of it: what the
 * kernel named before is in it, since it is read under the lock that the kernel mounts under.
 * Returns false if the table has fewer names, and an announced mount may still come.
 */
static bool name_root(struct lictor_engine *engine, const struct lictor_mounts *table,
		      struct object *object)
{
	int map = lictor_engine_map(engine, "late_anchors");
	struct lictor_late *first = &object->first;
	struct names known, names = { 0 };

	/* Mounted once more, or gone, meanwhile: the table changes again, too. */
	if (!is_as_read(map, object))
		return true;
	known_names(map, object->key, first, &known);
	if (first->part)
		names_of_part(table, object->key.dev, &known, &names);
	else if (first->names)
		names_of_whole(table, object->key.dev, &known, &names);
	if (first->announced && names.count < first->names &&
	    lictor_monotonic_ns() - first->since_ns < SETTLED_NS)
		return false;
	if (first->announced || !names.count || memcmp(&names, &known, sizeof(names)) != 0) {
		/* That took its time; from here to the last write it is a matter of microseconds,
		   in which a name that the kernel adds would be lost until the next look. */
		if (!is_as_read(map, object))
			return true;
		first->announced = 0;
		write_names(engine, object->key, &names, first);
	}
	return true;
}

static int read_known(const struct lictor_engine *engine, struct known *ret)
{
	int map = lictor_engine_map(engine, "late_anchors");
	struct lictor_late_key key, *at = NULL;
	size_t room = 0;

	while (!bpf_map_get_next_key(map, at, &key)) {
		at = &key;
		if (key.number)
			continue;
		if (ret->count == room) {
			struct object *grown;

			room = room ? room * 2 : 64;
			grown = realloc(ret->object, room * sizeof(*grown));
			if (!grown)
				return -ENOMEM;
			ret->object = grown;
		}
		ret->object[ret->count].key = key;
		if (!bpf_map_lookup_elem(map, &key, &ret->object[ret->count].first))
			ret->count++;
	}
	return 0;
}

static bool is_named(const struct lictor_engine *engine, const struct known *known,
		     const struct lictor_mount *mount)
{
	int map = lictor_engine_map(engine, "late_anchors");

	for (size_t i = 0; i < known->count; i++) {
		const struct object *object = &known->object[i];
		struct lictor_late first;
		struct names names;

		if (object->key.dev != mount->dev ||
		    bpf_map_lookup_elem(map, &object->key, &first))
			continue;
		known_names(map, object->key, &first, &names);
		for (size_t k = 0; k < names.count; k++)
			if (names.mount[k] == mount->id)
				return true;
	}
	return false;
}

/* What nobody has told of is opened: only that, since a descriptor keeps others from unmounting. */
static bool look_up(struct lictor_engine *engine, const struct lictor_mounts *table,
		    const struct lictor_mount *mount)
{
	struct lictor_late first = { .part = strcmp(mount->root, "/") != 0 };
	struct lictor_late_key key = { 0 };
	struct lictor_root_file object;
	struct names names = { 0 };
	int error = lictor_engine_object(engine, mount, &object);

	/* Below what only a server can tell, it is not looked for again. */
	if (error)
		return error == -EAGAIN;
	key.ino = object.ino;
	key.dev = object.dev;
	key.igeneration = object.igeneration;
	if (!bpf_map_lookup_elem(lictor_engine_map(engine, "late_anchors"), &key, &first))
		known_names(lictor_engine_map(engine, "late_anchors"), key, &first, &names);
	names_of_mount(table, mount, &names);
	first.since_ns = lictor_monotonic_ns();
	write_names(engine, key, &names, &first);
	return true;
}

static void look_up_untold(struct lictor_engine *engine, const struct known *known,
			   struct lictor_mounts *table)
{
	bool *told = calloc(table->count + 1, sizeof(*told));

	for (size_t i = 0; told && i < table->count; i++)
		told[i] = lictor_mounts_find(&engine->table, &table->mount[i]) ||
			  is_named(engine, known, &table->mount[i]) ||
			  look_up(engine, table, &table->mount[i]);
	/* What is covered, say, has its turn when it is not. */
	if (told)
		lictor_mounts_keep(table, told);
	free(told);
	lictor_mounts_free(&engine->table);
	engine->table = *table;
	*table = (struct lictor_mounts){ 0 };
}

/*
 * Of an object that is no more, the bit stays; so from time to time the filter that is not in use
 * is emptied, and when no program runs that set bits before that, filled from what there is.
 */
static int make_filter(struct lictor_engine *engine)
{
	struct known known OWN(free_known) = { 0 };
	uint32_t other = engine->control->late_slot ^ 1;
	int error;

	/* Nobody reads it any more who began when it was in use. */
	lictor_engine_wait(engine);
	memset(engine->control->late_filter[other], 0, sizeof(engine->control->late_filter[other]));
	lictor_engine_wait(engine);
	error = read_known(engine, &known);
	if (error)
		return error;
	for (size_t i = 0; i < known.count; i++)
		mark(engine, &known.object[i].key);
	__atomic_store_n(&engine->control->late_slot, other, __ATOMIC_RELEASE);
	engine->stale = 0;
	return 0;
}

int lictor_engine_follow_mounts(struct lictor_engine *engine)
{
	struct lictor_mounts table OWN(lictor_mounts_free) = { 0 };
	struct known known OWN(free_known) = { 0 };
	int error = read_known(engine, &known), left = 0;

	if (!error)
		error = lictor_mounts_read(&table);
	for (size_t i = 0; !error && i < known.count; i++)
		left |= !name_root(engine, &table, &known.object[i]);
	if (!error)
		look_up_untold(engine, &known, &table);
	if (!error && engine->stale >= STALE)
		error = make_filter(engine);
	return error ? error : left;
}

/* ---- with a new image ---- */

int lictor_engine_note_devices(struct lictor_engine *engine, uint32_t slot)
{
	struct lictor_mounts table OWN(lictor_mounts_free) = { 0 };
	int map = lictor_engine_map(engine, "devices"), error;
	struct lictor_device key, next;
	bool more = !bpf_map_get_next_key(map, NULL, &key);

	while (more) {
		more = !bpf_map_get_next_key(map, &key, &next);
		if (key.slot == slot)
			bpf_map_delete_elem(map, &key);
		key = next;
	}
	for (size_t i = 0; i < engine->devices; i++) {
		uint32_t there = 0;

		key = (struct lictor_device){ engine->device[i], slot };
		error = bpf_map_update_elem(map, &key, &there, BPF_ANY);
		if (error)
			return error;
	}
	/* What has gone between the search and the note, has gone unseen. */
	error = lictor_mounts_read(&table);
	for (size_t i = 0; !error && i < engine->devices; i++) {
		uint32_t gone = 1;
		size_t k = 0;

		while (k < table.count && table.mount[k].dev != engine->device[i])
			k++;
		key = (struct lictor_device){ engine->device[i], slot };
		if (k == table.count) {
			error = bpf_map_update_elem(map, &key, &gone, BPF_ANY);
			engine->control->gone = 1;
		}
	}
	return error;
}

/* Is every place of the object one that the image has? */
static bool is_sought(const struct lictor_engine *engine, const struct object *object)
{
	struct names names;
	size_t found = 0;

	known_names(lictor_engine_map(engine, "late_anchors"), object->key, &object->first, &names);
	for (size_t k = 0; k < names.count; k++)
		for (size_t i = 0; i < engine->sought.count; i++)
			if (engine->sought.mount[i].dev == object->key.dev &&
			    !strcmp(engine->sought.mount[i].path, names.name[k])) {
				found++;
				break;
			}
	return object->first.part && names.count ? found > 0 : found == names.count;
}

/* The image knows what was mounted, and not covered, when its anchors were looked for. */
int lictor_engine_adopt_mounts(struct lictor_engine *engine)
{
	struct known known OWN(free_known) = { 0 };
	int error = read_known(engine, &known);
	const struct names none = { 0 };

	for (size_t i = 0; !error && i < known.count; i++)
		if (known.object[i].first.since_ns < engine->sought_ns &&
		    is_sought(engine, &known.object[i]))
			write_names(engine, known.object[i].key, &none, &known.object[i].first);
	lictor_mounts_free(&engine->table);
	engine->table = engine->sought;
	engine->sought = (struct lictor_mounts){ 0 };
	if (!error && engine->stale)
		error = make_filter(engine);
	if (!error)
		error = lictor_engine_follow_mounts(engine);
	return error < 0 ? error : 0;
}
