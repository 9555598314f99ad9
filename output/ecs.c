/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: tables only: what ECS 9.4 calls each event, verdict and notice. A category allows
 * certain types only; the record's other category, intrusion_detection, allows the verdict's.
 */
#include "output/ecs.h"

const struct lictor_ecs_event lictor_ecs_event[LICTOR_EVENTS] = {
	[LICTOR_EVENT_EXEC] = { "process", { "start" }, NULL },
	[LICTOR_EVENT_EXIT] = { "process", { "end" }, NULL },
	[LICTOR_EVENT_READ] = { "file", { "access" }, NULL },
	[LICTOR_EVENT_WRITE] = { "file", { "change" }, NULL },
	[LICTOR_EVENT_CREATE] = { "file", { "creation" }, NULL },
	[LICTOR_EVENT_DELETE] = { "file", { "deletion" }, NULL },
	[LICTOR_EVENT_RENAME] = { "file", { "change" }, NULL },
	[LICTOR_EVENT_LINK] = { "file", { "creation" }, NULL },
	[LICTOR_EVENT_SYMLINK] = { "file", { "creation" }, NULL },
	[LICTOR_EVENT_MKDIR] = { "file", { "creation" }, NULL },
	[LICTOR_EVENT_RMDIR] = { "file", { "deletion" }, NULL },
	[LICTOR_EVENT_MKNOD] = { "file", { "creation" }, NULL },
	[LICTOR_EVENT_CHMOD] = { "file", { "change" }, NULL },
	[LICTOR_EVENT_CHOWN] = { "file", { "change" }, NULL },
	[LICTOR_EVENT_XATTR] = { "file", { "change" }, NULL },
	[LICTOR_EVENT_STAT] = { "file", { "access" }, NULL },
	[LICTOR_EVENT_CONNECT] = { "network", { "connection", "start" }, "egress" },
	[LICTOR_EVENT_BIND] = { "network", { "info" }, NULL },
	[LICTOR_EVENT_LISTEN] = { "network", { "start" }, "ingress" },
	[LICTOR_EVENT_ACCEPT] = { "network", { "connection", "start" }, "ingress" },
	[LICTOR_EVENT_SOCKET] = { "network", { "info" }, NULL },
	[LICTOR_EVENT_PTRACE] = { "process", { "access" }, NULL },
	[LICTOR_EVENT_SIGNAL] = { "process", { "change" }, NULL },
	[LICTOR_EVENT_SETUID] = { "process", { "change" }, NULL },
	[LICTOR_EVENT_SETGID] = { "process", { "change" }, NULL },
	[LICTOR_EVENT_CAPSET] = { "process", { "change" }, NULL },
	[LICTOR_EVENT_NAMESPACE] = { "process", { "change" }, NULL },
	[LICTOR_EVENT_MOUNT] = { "host", { "change" }, NULL },
	[LICTOR_EVENT_UMOUNT] = { "host", { "change" }, NULL },
	[LICTOR_EVENT_MODULE] = { "driver", { "start" }, NULL },
	[LICTOR_EVENT_BPF] = { "driver", { "info" }, NULL },
	[LICTOR_EVENT_PERF] = { "process", { "access" }, NULL },
	[LICTOR_EVENT_KEXEC] = { "host", { "change" }, NULL },
	[LICTOR_EVENT_SETTIME] = { "host", { "change" }, NULL },
	[LICTOR_EVENT_HOSTNAME] = { "host", { "change" }, NULL },
	[LICTOR_EVENT_SYSCTL] = { "configuration", { "change" }, NULL },
	[LICTOR_EVENT_IO_URING] = { "process", { "info" }, NULL },
	[LICTOR_EVENT_USERFAULTFD] = { "process", { "info" }, NULL },
	[LICTOR_EVENT_DUP] = { "network", { "info" }, NULL },
	[LICTOR_EVENT_OPEN_FAILED] = { "file", { "access" }, NULL },
};

const struct lictor_ecs_verdict lictor_ecs_verdict[LICTOR_VERDICTS] = {
	[LICTOR_VERDICT_ALLOWED] = { "allowed", "success", false },
	[LICTOR_VERDICT_SIGNALED] = { "allowed", "success", false },
	[LICTOR_VERDICT_BLOCKED] = { "denied", "failure", false },
	[LICTOR_VERDICT_KILLED] = { "denied", "failure", true },
	[LICTOR_VERDICT_WOULD_SIGNAL] = { "allowed", "success", false },
	[LICTOR_VERDICT_WOULD_BLOCK] = { "allowed", "success", false },
	[LICTOR_VERDICT_WOULD_KILL] = { "allowed", "success", false },
};

const struct lictor_ecs_notice lictor_ecs_notice[LICTOR_NOTICES] = {
	[LICTOR_NOTICE_START] = { "event", "process", "start", "success" },
	[LICTOR_NOTICE_STOP] = { "event", "process", "end", "success" },
	[LICTOR_NOTICE_RULES_LOADED] = { "event", "configuration", "change", "success" },
	[LICTOR_NOTICE_RULES_REJECTED] = { "event", "configuration", "info", "failure" },
	[LICTOR_NOTICE_HEARTBEAT] = { "metric", "host", "info", "success" },
	[LICTOR_NOTICE_LOST] = { "event", "host", "info", "failure" },
	[LICTOR_NOTICE_LIMITED] = { "event", "intrusion_detection", "info", "success" },
	[LICTOR_NOTICE_DEGRADED] = { "state", "host", "info", "failure" },
	[LICTOR_NOTICE_ROTATED] = { "event", "file", "change", "success" },
	[LICTOR_NOTICE_SILENCED] = { "alert", "intrusion_detection", "info", "failure" },
	[LICTOR_NOTICE_RECOVERED] = { "event", "host", "info", "success" },
	[LICTOR_NOTICE_TAMPERING] = { "alert", "intrusion_detection", "denied", "failure" },
};

const int lictor_ecs_severity[8] = { 99, 99, 99, 73, 47, 21, 10, 1 };
