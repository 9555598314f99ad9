/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: the members of the JSON record that tell of the process, its parent, its unit and the
 * file, beyond the vocabulary's fields. Touches nothing.
 */
#include <string.h>

#include "output/json.h"
#include "output/words.h"

#define WRITER(id) \
	static void write_##id(struct lictor_object *object, const struct lictor_member *member, \
			       const struct lictor_told *told)

/* Unique over processes and boots, and the same in every record about the process. */
static void put_entity(struct lictor_object *object, const char *name,
		       const struct lictor_host *host, uint32_t pid, uint64_t start_ns)
{
	if (pid && start_ns)
		lictor_object_printf(object, name, "%s-%u-%llu", host->boot_id, pid,
				     (unsigned long long)start_ns);
}

static void put_start(struct lictor_object *object, const char *name,
		      const struct lictor_alert *alert, uint64_t start_ns)
{
	int64_t ns;

	if (!start_ns || !alert->boot_offset ||
	    __builtin_add_overflow(alert->boot_offset, start_ns, &ns) || ns < 0)
		return;
	lictor_object_time(object, name, (struct timespec){ .tv_sec = ns / 1000000000,
							    .tv_nsec = ns % 1000000000 });
}

WRITER(entity)
{
	put_entity(object, member->name, told->host, told->alert->pid, told->alert->start_ns);
}

WRITER(parent_entity)
{
	put_entity(object, member->name, told->host, told->alert->parent_pid,
		   told->alert->parent_start_ns);
}

WRITER(start)
{
	put_start(object, member->name, told->alert, told->alert->start_ns);
}

WRITER(parent_start)
{
	put_start(object, member->name, told->alert, told->alert->parent_start_ns);
}

WRITER(parent_pid)
{
	if (told->alert->parent_pid)
		lictor_object_number(object, member->name, told->alert->parent_pid);
}

WRITER(thread)
{
	if (told->alert->tid)
		lictor_object_number(object, member->name, told->alert->tid);
}

/* Those that are whole, or of the last one what there is. */
WRITER(args)
{
	const struct lictor_bytes *args = &told->alert->args;
	struct lictor_array array;

	if (!args->byte)
		return;
	array = lictor_array_begin(object, member->name);
	for (size_t at = 0; at < args->length;) {
		size_t length = strnlen(args->byte + at, args->length - at);

		lictor_array_add_bytes(&array, args->byte + at, length);
		at += length + 1;
	}
	lictor_array_end(&array);
}

WRITER(ancestors)
{
	const struct lictor_alert *alert = told->alert;
	struct lictor_array array;

	if (!alert->ancestors)
		return;
	array = lictor_array_begin(object, member->name);
	for (size_t i = 0; i < alert->ancestors; i++) {
		const struct lictor_alert_ancestor *one = &alert->ancestor[i];
		struct lictor_object inner;

		lictor_array_next(&array);
		inner = lictor_object_begin(object->line);
		put_entity(&inner, "entity_id", told->host, one->pid, one->start_ns);
		if (one->executable.byte)
			lictor_object_bytes(&inner, "executable", &one->executable);
		if (one->inferred)
			lictor_object_flag(&inner, "inferred", true);
		lictor_object_number(&inner, "pid", one->pid);
		put_start(&inner, "start", alert, one->start_ns);
		lictor_object_printf(&inner, "user.id", "%u", one->user);
		if (one->user_name)
			lictor_object_text(&inner, "user.name", one->user_name);
		lictor_object_end(&inner);
	}
	lictor_array_end(&array);
}

WRITER(inode)
{
	if (told->alert->file.ino)
		lictor_object_printf(object, member->name, "%llu",
				     (unsigned long long)told->alert->file.ino);
}

WRITER(device)	/* the kernel's dev_t: 12 bits of major, 20 of minor */
{
	if (told->alert->file.ino)
		lictor_object_printf(object, member->name, "%u:%u", told->alert->file.dev >> 20,
				     told->alert->file.dev & 0xfffff);
}

WRITER(uid)
{
	if (lictor_alert_has(told->alert, LICTOR_FIELD_FILE_OWNER))
		lictor_object_printf(object, member->name, "%llu", (unsigned long long)
				     lictor_alert_number(told->alert, LICTOR_FIELD_FILE_OWNER));
}

WRITER(gid)
{
	if (lictor_alert_has(told->alert, LICTOR_FIELD_FILE_OWNER))
		lictor_object_printf(object, member->name, "%u", told->alert->file_gid);
}

WRITER(hash)
{
	lictor_object_text(object, member->name, told->alert->file_hash);
}

WRITER(process_hash)
{
	lictor_object_text(object, member->name, told->alert->process_hash);
}

/* The last slash of the file's path, NULL where a name cannot be told from it. */
static const char *last_slash(const struct lictor_bytes *path)
{
	const char *slash = path->byte ? memrchr(path->byte, '/', path->length) : NULL;

	return slash && slash + 1 < path->byte + path->length ? slash : NULL;
}

WRITER(name)
{
	const struct lictor_bytes *path = &told->alert->text[LICTOR_FIELD_FILE_PATH];
	const char *slash = last_slash(path);

	if (slash)
		lictor_object_bytes(object, member->name, &(struct lictor_bytes){
			.byte = slash + 1,
			.length = (size_t)(path->byte + path->length - slash) - 1 });
}

WRITER(directory)
{
	const struct lictor_bytes *path = &told->alert->text[LICTOR_FIELD_FILE_PATH];
	const char *slash = last_slash(path);

	if (slash && !path->cut)
		lictor_object_bytes(object, member->name, &(struct lictor_bytes){
			.byte = path->byte,
			.length = slash == path->byte ? 1 : (size_t)(slash - path->byte) });
}

WRITER(extension)
{
	const struct lictor_bytes *path = &told->alert->text[LICTOR_FIELD_FILE_PATH];
	const char *slash = last_slash(path), *end = path->byte + path->length, *dot;

	if (!slash)
		return;
	dot = memrchr(slash, '.', (size_t)(end - slash));
	if (dot && dot > slash + 1 && dot + 1 < end)
		lictor_object_bytes(object, member->name, &(struct lictor_bytes){
			.byte = dot + 1, .length = (size_t)(end - dot) - 1 });
}

/* ECS: the address as it was given, whatever its sort. */
WRITER(destination)
{
	const struct lictor_alert *alert = told->alert;

	if (lictor_alert_has(alert, LICTOR_FIELD_DESTINATION_PATH)) {
		lictor_object_bytes(object, member->name,
				    &alert->text[LICTOR_FIELD_DESTINATION_PATH]);
	} else if (lictor_alert_has(alert, LICTOR_FIELD_DESTINATION_IP)) {
		lictor_object_name(object, member->name);
		lictor_line_text(object->line, "\"");
		lictor_line_field(object->line, alert, LICTOR_FIELD_DESTINATION_IP);
		lictor_line_text(object->line, "\"");
	}
}

static const struct lictor_member table[] = {
	{ "destination.address", write_destination, 0 },
	{ "file.device", write_device, 0 },
	{ "file.directory", write_directory, 0 },
	{ "file.extension", write_extension, 0 },
	{ "file.gid", write_gid, 0 },
	{ "file.hash.sha256", write_hash, 0 },
	{ "file.inode", write_inode, 0 },
	{ "file.name", write_name, 0 },
	{ "file.uid", write_uid, 0 },
	{ "lictor.ancestors", write_ancestors, 0 },
	{ "process.args", write_args, 0 },
	{ "process.entity_id", write_entity, 0 },
	{ "process.hash.sha256", write_process_hash, 0 },
	{ "process.parent.entity_id", write_parent_entity, 0 },
	{ "process.parent.pid", write_parent_pid, 0 },
	{ "process.parent.start", write_parent_start, 0 },
	{ "process.start", write_start, 0 },
	{ "process.thread.id", write_thread, 0 },
};

const struct lictor_members lictor_actor_members = { sizeof(table) / sizeof(table[0]), table };
