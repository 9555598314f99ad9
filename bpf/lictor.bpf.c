/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel side as one object: every family of hooks, over one set of maps. Compiled a second
 * time with LICTOR_PROBING, it is the hooks' bodies as kprobes.
 */
#ifndef LICTOR_PROBING
#include "bpf/probe_task.bpf.c"
#include "bpf/probe_kernel.bpf.c"
#include "bpf/probe_scan.bpf.c"
#include "bpf/probe_guard.bpf.c"
#include "lsm/cgroup.bpf.c"
#endif
#include "bpf/probe_entry.bpf.c"
#include "lsm/anchor.bpf.c"
#include "lsm/canary.bpf.c"
#include "lsm/exec.bpf.c"
#include "lsm/file.bpf.c"
#include "lsm/net.bpf.c"
#include "lsm/task.bpf.c"
#include "lsm/mount.bpf.c"
#include "lsm/kernel.bpf.c"

char LICENSE[] SEC("license") = "GPL";
