/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users and groups: a name comes in, its number goes out, asked of the host once a name. A name
 * service may be slow, so no rule file gets to ask it for more than a bounded number. Touches the
 * host's user and group databases.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "rules/check.h"

#define ENTRY_FIRST	4096u
#define ENTRY_LAST	(1u << 20)

static void free_buffer(char **buffer)
{
	free(*buffer);
}

/* What "not found" is in the words of several name services; see getpwnam_r(3). */
static int not_found(int error)
{
	return !error || error == ESRCH || error == EBADF || error == EPERM ? -ENOENT : -error;
}

static int lookup_user(const char *name, uint32_t *ret_number)
{
	int error = ERANGE;

	for (size_t size = ENTRY_FIRST; error == ERANGE && size <= ENTRY_LAST; size *= 4) {
		OWNED(free_buffer) char *buffer = malloc(size);
		struct passwd entry, *found = NULL;

		if (!buffer)
			return -ENOMEM;
		error = getpwnam_r(name, &entry, buffer, size, &found);
		if (!found)
			continue;
		*ret_number = entry.pw_uid;
		return 0;
	}
	return not_found(error);
}

static int lookup_group(const char *name, uint32_t *ret_number)
{
	int error = ERANGE;

	for (size_t size = ENTRY_FIRST; error == ERANGE && size <= ENTRY_LAST; size *= 4) {
		OWNED(free_buffer) char *buffer = malloc(size);
		struct group entry, *found = NULL;

		if (!buffer)
			return -ENOMEM;
		error = getgrnam_r(name, &entry, buffer, size, &found);
		if (!found)
			continue;
		*ret_number = entry.gr_gid;
		return 0;
	}
	return not_found(error);
}

int (*lictor_user_lookup)(const char *name, uint32_t *ret_number) = lookup_user;
int (*lictor_group_lookup)(const char *name, uint32_t *ret_number) = lookup_group;

void names_done(struct names *names)
{
	index_done(&names->index);
	free(names->name);
	names->name = NULL;
}

static const char *name_of(const void *base, uint32_t id)
{
	return ((const struct known_name *)base)[id].name;
}

static int names_init(struct names *names)
{
	names->name = calloc(LOOKUPS_MAX, sizeof(*names->name));
	if (!names->name)
		return -ENOMEM;
	return index_init(&names->index, LOOKUPS_MAX, names->name, name_of);
}

static int look_up(struct names *names, bool group, const char *name, struct known_name **ret)
{
	uint32_t id = names->name ? index_find(&names->index, name) : INDEX_NONE;
	struct known_name *entry;

	if (!names->name && names_init(names))
		return -ENOMEM;
	if (id == INDEX_NONE && names->names == LOOKUPS_MAX)
		return -E2BIG;
	if (id == INDEX_NONE) {
		entry = &names->name[names->names];
		entry->name = name;
		entry->error = (group ? lictor_group_lookup : lictor_user_lookup)(name,
										  &entry->number);
		id = index_add(&names->index, (uint32_t)names->names++);
	}
	*ret = &names->name[id];
	return 0;
}

static bool is_name(const char *text)
{
	size_t length = strcspn(text, " \t\r\n:,/*?[]{}\\");

	return length && length <= 255 && !text[length] && text[0] != '-';
}

static int refuse_name(struct check *check, const char *what, const struct node *node)
{
	const char *end;
	uint32_t number;

	if (number_read(node->text, &end, &number) && *end == '-')
		return value_error(check, node_place(node),
				   "for a range of numbers there are the fields ending in \".id\"",
				   "a %s is one name or one number", what);
	if (strpbrk(node->text, "*?["))
		return value_error(check, node_place(node), "write a list of names",
				   "a %s is one name or one number, not a pattern", what);
	return value_error(check, node_place(node), NULL, "unknown %s \"%.*s\"", what,
			   SHOWN(node->text));
}

int name_check(struct check *check, bool group, const struct node *node,
	       struct lictor_value *ret_value)
{
	const char *what = group ? "group" : "user", *end;
	struct known_name *known;
	uint32_t number;
	int error;

	if (number_read(node->text, &end, &number) && !*end) {
		ret_value->range.low = ret_value->range.high = number;
		return 0;
	}
	if (!is_name(node->text))
		return refuse_name(check, what, node);
	error = look_up(group ? &check->groups : &check->users, group, node->text, &known);
	if (error == -E2BIG)
		return value_error(check, node_place(node), "write the others as numbers",
				   "more than %u different %ss by name", LOOKUPS_MAX, what);
	if (error)
		return check->error = error;
	if (known->error == -ENOENT)
		return refuse_name(check, what, node);
	if (known->error)
		return value_error(check, node_place(node), NULL,
				   "the %s \"%.*s\" cannot be looked up: %s", what,
				   SHOWN(node->text), strerror(-known->error));
	ret_value->range.low = ret_value->range.high = known->number;
	return 0;
}
