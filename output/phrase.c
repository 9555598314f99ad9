/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: a table only: how each event is told, in a sentence and in one line. Touches nothing.
 */
#include <string.h>

#include "output/words.h"

/*
 * Of an event's rows those count whose condition holds (the field has this value), and where there
 * are none, those without; of these the first whose fields are all there; if none, the last. What
 * comes after "Blocked ", "Killed for ", "Seen: "; and what comes after the event's name, in the
 * short form.
 */
#define IS(field, name) LICTOR_FIELD_##field, name
#define ANY LICTOR_FIELD_NONE, NULL

static const struct {
	enum lictor_event event;
	unsigned field;
	const char *value;
	struct lictor_phrase phrase;
} rows[] = {
#define ROW(event, condition, sentence, object) \
	{ LICTOR_EVENT_##event, condition, { sentence, object } },
	ROW(EXEC, ANY, "exec of {file.path}", " {file.path}")
	ROW(EXIT, ANY, "end by {signal.name}", " {signal.name}")
	ROW(EXIT, ANY, "exit with status {process.exit_code}", " status {process.exit_code}")
	ROW(READ, ANY, "reading of {file.path}", " {file.path}")
	ROW(WRITE, ANY, "writing to {file.path}", " {file.path}")
	ROW(CREATE, ANY, "creation of {file.path}", " {file.path}")
	ROW(DELETE, ANY, "removal of {file.path}", " {file.path}")
	ROW(RENAME, ANY, "renaming of {file.path} to {file.target_path}",
	    " {file.path} -> {file.target_path}")
	ROW(LINK, ANY, "linking of {file.path} to {file.target_path}",
	    " {file.path} -> {file.target_path}")
	ROW(SYMLINK, ANY, "creation of symbolic link {file.path}", " {file.path}")
	ROW(MKDIR, ANY, "creation of directory {file.path}", " {file.path}")
	ROW(RMDIR, ANY, "removal of directory {file.path}", " {file.path}")
	ROW(MKNOD, ANY, "creation of {file.type} {file.path}", " {file.path} ({file.type})")
	ROW(CHMOD, ANY, "change of mode of {file.path} to {file.mode}", " {file.path} {file.mode}")
	ROW(CHOWN, ANY, "change of owner of {file.path}", " {file.path}")
	ROW(XATTR, ANY, "change of attributes of {file.path}", " {file.path}")
	ROW(STAT, ANY, "stat of {file.path}", " {file.path}")
	ROW(CONNECT, ANY, "connection to {destination}", " {destination}")
	ROW(BIND, ANY, "binding to {source}", " {source}")
	ROW(LISTEN, ANY, "listening on {source}", " {source}")
	ROW(ACCEPT, ANY, "connection from {destination} to {source}",
	    " {destination} -> {source}")
	ROW(ACCEPT, ANY, "accepting of connections on {source}", " {source}")
	ROW(ACCEPT, ANY, "accepting of connections by {network.transport}", " {network.transport}")
	ROW(SOCKET, ANY,
	    "making of a socket (family {socket.family}, type {socket.type}, protocol "
	    "{socket.protocol})",
	    " {socket.family} {socket.type} {socket.protocol}")
	ROW(PTRACE, IS(PTRACE_MODE, "read"), "reading of process {target} (pid {target.pid})",
	    " {ptrace.mode} {target} (pid {target.pid})")
	ROW(PTRACE, IS(PTRACE_MODE, "traceme"),
	    "asking to be traced by {target} (pid {target.pid})",
	    " {ptrace.mode} {target} (pid {target.pid})")
	ROW(PTRACE, ANY, "tracing of {target} (pid {target.pid})",
	    " {ptrace.mode} {target} (pid {target.pid})")
	ROW(SIGNAL, ANY, "sending of {signal.name} to {target} (pid {target.pid})",
	    " {signal.name} {target} (pid {target.pid})")
	ROW(SETUID, ANY, "becoming user {user.target.name}", " {user.target.name}")
	ROW(SETGID, ANY, "becoming a member of group {group.target.name}", " {group.target.name}")
	ROW(CAPSET, IS(CAPABILITY_OPERATION, "ambient"),
	    "raising of ambient capabilities {capability.raised}",
	    " {capability.operation} {capability.raised}")
	ROW(CAPSET, IS(CAPABILITY_OPERATION, "securebits"), "change of securebits", " securebits")
	ROW(CAPSET, ANY, "change of capabilities (raised: {capability.raised})",
	    " {capability.operation} {capability.raised}")
	ROW(NAMESPACE, ANY, "making or entering of namespaces {namespace.types}", " {namespace.types}")
	ROW(MOUNT, IS(MOUNT_OPERATION, "mount"),
	    "mounting of {mount.type} {mount.source} on {file.path}",
	    " {mount.type} {mount.source} -> {file.path}")
	ROW(MOUNT, IS(MOUNT_OPERATION, "mount"), "mounting of {mount.type} on {file.path}",
	    " {mount.type} -> {file.path}")
	ROW(MOUNT, IS(MOUNT_OPERATION, "mount"), "mounting on {file.path}", " {file.path}")
	ROW(MOUNT, IS(MOUNT_OPERATION, "bind"), "binding of {mount.source} to {file.path}",
	    " bind {mount.source} -> {file.path}")
	ROW(MOUNT, IS(MOUNT_OPERATION, "bind"), "binding to {file.path}", " bind {file.path}")
	ROW(MOUNT, IS(MOUNT_OPERATION, "remount"), "remounting of {file.path} ({mount.flags})",
	    " remount {file.path} ({mount.flags})")
	ROW(MOUNT, IS(MOUNT_OPERATION, "move"), "moving of mount {mount.source} to {file.path}",
	    " move {mount.source} -> {file.path}")
	ROW(MOUNT, IS(MOUNT_OPERATION, "move"), "moving of a mount to {file.path}",
	    " move {file.path}")
	ROW(MOUNT, IS(MOUNT_OPERATION, "propagation"),
	    "change of mount propagation of {file.path} ({mount.flags})",
	    " propagation {file.path} ({mount.flags})")
	ROW(MOUNT, IS(MOUNT_OPERATION, "pivot_root"),
	    "change of root to {mount.source}, the old one to {file.path}",
	    " pivot_root {mount.source} -> {file.path}")
	ROW(MOUNT, IS(MOUNT_OPERATION, "clone"), "cloning of mounts at {file.path}",
	    " clone {file.path}")
	ROW(MOUNT, IS(MOUNT_OPERATION, "attributes"), "change of mount attributes of {file.path}",
	    " attributes {file.path}")
	ROW(MOUNT, ANY, "mounting on {file.path}", " {mount.operation} {file.path}")
	ROW(UMOUNT, ANY, "unmounting of {file.path}", " {file.path}")
	ROW(MODULE, IS(MODULE_OPERATION, "unload"), "removal of module {module.name}",
	    " unload {module.name}")
	ROW(MODULE, ANY, "loading of module {module.name} from {module.path}",
	    " load {module.name} {module.path}")
	ROW(MODULE, ANY, "loading of a module from {module.path}", " load {module.path}")
	ROW(MODULE, ANY, "loading of module {module.name}", " load {module.name}")
	ROW(BPF, ANY, "bpf(2) {bpf.command} of type {bpf.program_type}",
	    " {bpf.command} {bpf.program_type}")
	ROW(BPF, ANY, "bpf(2) {bpf.command}", " {bpf.command}")
	ROW(PERF, ANY, "opening of a perf event of type {perf.type}", " {perf.type}")
	ROW(KEXEC, ANY, "loading of kernel {file.path}", " {file.path}")
	ROW(KEXEC, ANY, "loading of a kernel", "")
	ROW(SETTIME, IS(CLOCK_OPERATION, "adjust"), "adjusting of the clock", " adjust")
	ROW(SETTIME, ANY, "setting of the clock", " set")
	ROW(HOSTNAME, ANY, "change of host name to {host.hostname}", " {host.hostname}")
	ROW(HOSTNAME, ANY, "change of domain name to {host.domain}", " domain {host.domain}")
	ROW(SYSCTL, ANY, "writing to kernel parameter {sysctl.name}", " {sysctl.name}")
	ROW(IO_URING, IS(IO_URING_OPERATION, "setup"), "setup of io_uring", " setup")
	ROW(IO_URING, IS(IO_URING_OPERATION, "sqpoll"), "polling of io_uring by a kernel thread",
	    " sqpoll")
	ROW(IO_URING, IS(IO_URING_OPERATION, "override_creds"),
	    "use of other credentials by io_uring", " override_creds")
	ROW(IO_URING, IS(IO_URING_OPERATION, "command"), "command to a driver by io_uring",
	    " command")
	ROW(IO_URING, ANY, "use of io_uring", " {io_uring.operation}")
	ROW(USERFAULTFD, ANY, "use of userfaultfd", "")
	ROW(DUP, ANY, "use of a connection with {destination} as {dup.descriptor}",
	    " {dup.descriptor} {destination}")
	ROW(DUP, ANY, "use of a socket ({network.transport}) as {dup.descriptor}",
	    " {dup.descriptor} {network.transport}")
	ROW(OPEN_FAILED, ANY, "refused opening of {file.path}", " {file.path}")
#undef ROW
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool holds(size_t row, const struct lictor_alert *alert)
{
	const char *value;

	if (!rows[row].value)
		return true;
	value = lictor_alert_has(alert, rows[row].field) ?
		lictor_word_value(rows[row].field, lictor_alert_number(alert, rows[row].field)) : NULL;
	return value && !strcmp(value, rows[row].value);
}

static bool is(const char *name, const char *text, size_t length)
{
	return !strncmp(name, text, length) && !name[length];
}

static bool is_there(const char *name, size_t length, const struct lictor_alert *alert)
{
	if (is("destination", name, length))
		return lictor_alert_has(alert, LICTOR_FIELD_DESTINATION_IP);
	if (is("source", name, length))
		return lictor_alert_has(alert, LICTOR_FIELD_SOURCE_IP);
	for (unsigned field = 1; field < LICTOR_FIELDS; field++)
		if (is(lictor_field_names[field].name, name, length))
			return lictor_alert_has(alert, field);
	return true;
}

/* Whether everything in the sentence has a value. */
static bool is_whole(const char *sentence, const struct lictor_alert *alert)
{
	const char *at = sentence;

	while ((at = strchr(at, '{'))) {
		size_t length = strcspn(++at, "}");

		if (!is_there(at, length, alert))
			return false;
	}
	return true;
}

struct lictor_phrase lictor_phrase(const struct lictor_alert *alert)
{
	struct lictor_phrase last = { "{event}", "" };
	bool meant = false;

	for (size_t row = 0; row < ROWS; row++) {
		if (rows[row].event != alert->event || !holds(row, alert) ||
		    (meant && !rows[row].value))
			continue;
		meant |= rows[row].value != NULL;
		last = rows[row].phrase;
		if (is_whole(last.sentence, alert))
			break;
	}
	return last;
}

const char *lictor_phrase_flags(const struct lictor_alert *alert)
{
	if (alert->flags & LICTOR_RECORD_PREEXISTING)
		return " (since before the rules)";
	if (alert->flags & LICTOR_RECORD_HELD)
		return " (by a descriptor older than the rules)";
	if (alert->flags & LICTOR_RECORD_RECEIVED)
		return " (by a descriptor that it was given)";
	return "";
}
