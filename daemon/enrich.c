/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: what only user space knows of an alert. In: an alert as decoded. Out: the same with names
 * of users and groups, where they can be had; nothing is waited for. May touch: the passwd and group
 * files, reading.
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

struct lictor_enrich {
	struct lictor_names users;
	struct lictor_names groups;
};

OWNABLE(struct lictor_enrich, lictor_enrich_free)

/* The beginning of a small file, as text. -errno, or its length. */
static ssize_t read_small(const char *path, char *ret_text, size_t room)
{
	int fd OWN(own_close) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
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
	for (size_t i = 0; i < alert->ancestors; i++)
		alert->ancestor[i].user_name = lictor_names_find(users, alert->ancestor[i].user);
	alert->group_name = name_of(&enrich->groups, alert, LICTOR_FIELD_GROUP_NAME);
	alert->group_target_name = name_of(&enrich->groups, alert, LICTOR_FIELD_GROUP_TARGET_NAME);
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

	if (!enrich)
		return -ENOMEM;
	lictor_names_init(&enrich->users, join(root, "/etc/passwd"));
	lictor_names_init(&enrich->groups, join(root, "/etc/group"));
	if (!enrich->users.path || !enrich->groups.path)
		return -ENOMEM;
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
	free(enrich);
}

/* Hexadecimal digits and dashes are all that an id has; anything else is no id. */
static void read_id(const char *path, char *ret_id, size_t room)
{
	char text[128];
	size_t length;

	ret_id[0] = '\0';
	if (read_small(path, text, sizeof(text)) <= 0)
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
