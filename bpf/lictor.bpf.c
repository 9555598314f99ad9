/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel side as one object: every family of hooks, over one set of maps. */
#include "bpf/probe_task.bpf.c"
#include "lsm/exec.bpf.c"
#include "lsm/file.bpf.c"
#include "lsm/net.bpf.c"
#include "lsm/cgroup.bpf.c"

char LICENSE[] SEC("license") = "GPL";
