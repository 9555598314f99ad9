/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: what only user space knows of an alert. In: an alert as decoded. Out: the same with names
 * of users and groups and the systemd unit of the process, where they can be had; nothing is waited
 * for. May touch: the passwd and group files and /proc, reading.
 */
#include "daemon/enrich.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "daemon/names.h"
#include "daemon/own.h"
#include "daemon/process.h"

#define CGROUP_TEXT 8192

struct lictor_enrich {
	struct lictor_names users;
	struct lictor_names groups;
	int proc;		/* a directory; -1: none */
	char unit[256];
};

OWNABLE(struct lictor_enrich, lictor_enrich_free)

/* The beginning of a small file, as text. -errno, or its length. */
static ssize_t read_small(int dir, const char *path, char *ret_text, size_t room)
{
	int fd OWN(own_close) = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t length = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	while (length < room - 1 && (got = read(fd, ret_text + length, room - 1 - length))) {
		if (got < 0)
			return -errno;
		length += (size_t)got;
	}
	ret_text[length] = '\0';
	return (ssize_t)length;
}

/* ---- the unit ---- */

static bool ends_with(const char *text, size_t length, const char *suffix)
{
	size_t end = strlen(suffix);

	return length > end && !memcmp(text + length - end, suffix, end);
}

/*
 * The first service or scope on the way down a control group's path. What lies below it was
 * delegated: there a process names groups as it likes, and could pass for another unit.
 */
static bool find_unit(const char *path, char *ret_unit, size_t room)
{
	while (*path == '/') {
		size_t length = strcspn(++path, "/\n");

		if (length < room && (ends_with(path, length, ".service") ||
				      ends_with(path, length, ".scope"))) {
			memcpy(ret_unit, path, length);
			ret_unit[length] = '\0';
			return true;
		}
		path += length;
	}
	return false;
}

/* The path of the control group that systemd keeps the process in. */
static const char *systemd_group(const char *text)
{
	static const char *const kind[] = { ":name=systemd:", "0::" };

	for (size_t i = 0; i < sizeof(kind) / sizeof(kind[0]); i++) {
		for (const char *line = text; line; line = strchr(line, '\n')) {
			const char *found;

			line += *line == '\n';
			if (!*line)
				break;
			found = i ? line : line + strspn(line, "0123456789");
			if (!strncmp(found, kind[i], strlen(kind[i])))
				return found + strlen(kind[i]);
		}
	}
	return NULL;
}

/* All is read through one directory descriptor: it stays with the process that it was opened of. */
static const char *unit_of(struct lictor_enrich *enrich, uint32_t pid, uint64_t start_ns)
{
	int dir OWN(own_close) = -1;
	char text[CGROUP_TEXT];
	const char *group;

	if (lictor_process_open(enrich->proc, pid, &dir) ||
	    (start_ns && !lictor_process_began(dir, start_ns)) ||
	    read_small(dir, "cgroup", text, sizeof(text)) <= 0)
		return NULL;
	group = systemd_group(text);
	return group && find_unit(group, enrich->unit, sizeof(enrich->unit)) ? enrich->unit : NULL;
}

/* ---- names ---- */

static const char *name_of(const struct lictor_names *names, const struct lictor_alert *alert,
			   enum lictor_field field)
{
	if (alert->values.state[field] != LICTOR_PRESENT || alert->values.num[field] > UINT32_MAX)
		return NULL;
	return lictor_names_find(names, (uint32_t)alert->values.num[field]);
}

void lictor_enrich_alert(struct lictor_enrich *enrich, struct lictor_alert *alert)
{
	const struct lictor_names *users = &enrich->users;

	lictor_names_refresh(&enrich->users);
	lictor_names_refresh(&enrich->groups);
	alert->user_name = name_of(users, alert, LICTOR_FIELD_USER_NAME);
	alert->user_effective_name = name_of(users, alert, LICTOR_FIELD_USER_EFFECTIVE_NAME);
	alert->user_audit_name = name_of(users, alert, LICTOR_FIELD_USER_AUDIT_NAME);
	alert->file_owner_name = name_of(users, alert, LICTOR_FIELD_FILE_OWNER);
	alert->user_target_name = name_of(users, alert, LICTOR_FIELD_USER_TARGET_NAME);
	alert->target_user_name = name_of(users, alert, LICTOR_FIELD_TARGET_USER);
	alert->group_name = name_of(&enrich->groups, alert, LICTOR_FIELD_GROUP_NAME);
	alert->group_target_name = name_of(&enrich->groups, alert, LICTOR_FIELD_GROUP_TARGET_NAME);
	alert->unit = unit_of(enrich, alert->pid, alert->start_ns);
}

/* ---- life ---- */

static char *join(const char *root, const char *path)
{
	char *joined;

	return asprintf(&joined, "%s%s", root, path) < 0 ? NULL : joined;
}

int lictor_enrich_new_at(const char *root, struct lictor_enrich **ret_enrich)
{
	struct lictor_enrich *enrich OWN(own_lictor_enrich_free) = calloc(1, sizeof(*enrich));
	char *proc OWN(own_free) = join(root, "/proc");

	if (!enrich)
		return -ENOMEM;
	enrich->proc = -1;
	lictor_names_init(&enrich->users, join(root, "/etc/passwd"));
	lictor_names_init(&enrich->groups, join(root, "/etc/group"));
	if (!proc || !enrich->users.path || !enrich->groups.path)
		return -ENOMEM;
	enrich->proc = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret_enrich = TAKE(enrich);
	return 0;
}

int lictor_enrich_new(struct lictor_enrich **ret_enrich)
{
	return lictor_enrich_new_at("", ret_enrich);
}

void lictor_enrich_free(struct lictor_enrich *enrich)
{
	if (!enrich)
		return;
	lictor_names_done(&enrich->users);
	lictor_names_done(&enrich->groups);
	own_close(&enrich->proc);
	free(enrich);
}

/* Hexadecimal digits and dashes are all that an id has; anything else is no id. */
static void read_id(const char *path, char *ret_id, size_t room)
{
	char text[128];
	size_t length;

	ret_id[0] = '\0';
	if (read_small(AT_FDCWD, path, text, sizeof(text)) <= 0)
		return;
	length = strspn(text, "0123456789abcdef-");
	if (length && length < room && (!text[length] || text[length] == '\n'))
		snprintf(ret_id, room, "%.*s", (int)length, text);
}

void lictor_host_read(const char *version, struct lictor_host *ret_host)
{
	struct utsname name;

	*ret_host = (struct lictor_host){ .version = version };
	if (!uname(&name))
		snprintf(ret_host->name, sizeof(ret_host->name), "%s", name.nodename);
	read_id("/proc/sys/kernel/random/boot_id", ret_host->boot_id, sizeof(ret_host->boot_id));
	read_id("/etc/machine-id", ret_host->machine_id, sizeof(ret_host->machine_id));
}
