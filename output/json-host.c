/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: the members of the JSON record that are the same in every record: the schema, the
 * host and who tells. They look at the host alone, so that the log's header can use them too.
 * Touches nothing.
 */
#include "output/ecs.h"
#include "output/json.h"

#define WRITER(id) \
	static void write_##id(struct lictor_object *object, const struct lictor_member *member, \
			       const struct lictor_told *told)

static void put(struct lictor_object *object, const char *name, const char *text)
{
	if (text && *text)
		lictor_object_text(object, name, text);
}

WRITER(agent)
{
	(void)told;
	put(object, member->name, "lictor");
}

WRITER(version)
{
	put(object, member->name, told->host->version);
}

WRITER(ecs)
{
	(void)told;
	put(object, member->name, LICTOR_ECS_VERSION);
}

WRITER(boot)
{
	put(object, member->name, told->host->boot_id);
}

WRITER(machine)
{
	put(object, member->name, told->host->machine_id);
}

WRITER(host)
{
	put(object, member->name, told->host->name);
}

WRITER(os)
{
	(void)told;
	put(object, member->name, "linux");
}

static const struct lictor_member table[] = {
	{ "agent.id", write_machine, 0 },
	{ "agent.name", write_host, 0 },
	{ "agent.type", write_agent, 0 },
	{ "agent.version", write_version, 0 },
	{ "ecs.version", write_ecs, 0 },
	{ "host.boot.id", write_boot, 0 },
	{ "host.hostname", write_host, 0 },
	{ "host.id", write_machine, 0 },
	{ "host.name", write_host, 0 },
	{ "host.os.type", write_os, 0 },
};

const struct lictor_members lictor_host_members = { sizeof(table) / sizeof(table[0]), table };
