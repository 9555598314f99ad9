/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs at the root control group, which can deny. Where LSM programs are not to be had, they are
 * the network's: they see the address that the caller gave, after the kernel has copied it. Where
 * they are to be had, these deny what no LSM hook is asked about: connections that the kernel makes
 * for itself (NFS, SMB, MPTCP's subflows). Who acts, they could not find out on every kernel, so
 * that is decided a moment before, in the function that they are called by.
 */
#include "bpf/net.bpf.h"

static __always_inline int lictor_cgroup(struct bpf_sock_addr *ctx, u32 event, u32 hook, bool six,
					 u32 slot)
{
	struct lictor_scratch *s = NULL;
	u32 port = slot ? LICTOR_FIELD_SOURCE_PORT : LICTOR_FIELD_DESTINATION_PORT;
	u32 address[4];
	int begun, denied;

	begun = lictor_begin(event, LICTOR_EVENTS, hook, LICTOR_VIA_CGROUP, &s);
	if (begun == LICTOR_CLOSED)
		return 0;
	if (begun == LICTOR_PASS || !s)
		return 1;
	lictor_number(s, LICTOR_FIELD_NETWORK_TRANSPORT,
		      lictor_transport(ctx->family, ctx->type, ctx->protocol));
	lictor_number(s, port, bpf_ntohs((u16)ctx->user_port));
	if (six) {
		address[0] = ctx->user_ip6[0];
		address[1] = ctx->user_ip6[1];
		address[2] = ctx->user_ip6[2];
		address[3] = ctx->user_ip6[3];
		lictor_address6(s, slot, (const u8 *)address);
	} else {
		lictor_address4(s, slot, ctx->user_ip4);
	}
	lictor_network_type(s, slot);
	lictor_decide(s, event, 0);
	denied = s->outcome.action >= LICTOR_ACTION_BLOCK;
	if (s->outcome.rules)
		lictor_report(s, denied ? EPERM : 0, denied);
	lictor_scratch_put(s);
	return !denied;
}

#define LICTOR_CGROUP(name, event, six, slot) \
	SEC("cgroup/" #name) \
	int cg_##name(struct bpf_sock_addr *ctx) \
	{ \
		return lictor_cgroup(ctx, LICTOR_EVENT_##event, LICTOR_HOOK_##name, six, slot); \
	}

LICTOR_CGROUP(connect4, CONNECT, false, LICTOR_ADDRESS_DESTINATION)
LICTOR_CGROUP(connect6, CONNECT, true, LICTOR_ADDRESS_DESTINATION)
LICTOR_CGROUP(sendmsg4, CONNECT, false, LICTOR_ADDRESS_DESTINATION)
LICTOR_CGROUP(sendmsg6, CONNECT, true, LICTOR_ADDRESS_DESTINATION)
LICTOR_CGROUP(bind4, BIND, false, LICTOR_ADDRESS_SOURCE)
LICTOR_CGROUP(bind6, BIND, true, LICTOR_ADDRESS_SOURCE)

/* ---- the kernel's own connections ---- */

/* The very connection that connect(2) on an MPTCP or SMC socket was judged by, in this call. */
static __always_inline bool lictor_connect_decided(struct lictor_scratch *s)
{
	struct lictor_subject *subject =
		bpf_task_storage_get(&subjects, bpf_get_current_task_btf(), 0, 0);
	const u64 *to, *judged;
	u64 decided;

	if (!subject)
		return false;
	decided = subject->connect_ns;
	subject->connect_ns = 0;
	to = (const u64 *)s->facts.v.address[LICTOR_ADDRESS_DESTINATION];
	judged = (const u64 *)subject->connect_to;
	return decided && bpf_ktime_get_ns() - decided < 1000000000 && to[0] == judged[0] &&
	       to[1] == judged[1] &&
	       s->facts.v.num[LICTOR_FIELD_DESTINATION_PORT] == subject->connect_port;
}

static __always_inline int lictor_own_connect(struct sock *sk, const struct sockaddr *address,
					      int length, u32 hook)
{
	const struct lictor_control *c = lictor_in_force();
	struct lictor_scratch *s = NULL;
	u64 task = bpf_get_current_pid_tgid(), which = (u64)sk;
	int begun;

	if (!c || !BPF_CORE_READ_BITFIELD(sk, sk_kern_sock))
		return 0;
	begun = lictor_begin(LICTOR_EVENT_CONNECT, LICTOR_EVENTS, hook, LICTOR_VIA_FENTRY, &s);
	if (begun == LICTOR_CLOSED && c->refuses)
		bpf_map_update_elem(&refused, &task, &which, BPF_ANY);
	if (begun != LICTOR_DECIDE || !s)
		return 0;
	lictor_gather_socket(s, sk);
	lictor_gather_own_end(s, sk);
	lictor_gather_address(s, LICTOR_ADDRESS_DESTINATION, address, length > 0 ? length : 0,
			      AF_UNSPEC);
	if (lictor_connect_decided(s)) {
		lictor_scratch_put(s);
		return 0;
	}
	lictor_decide(s, LICTOR_EVENT_CONNECT, 0);
	if (s->outcome.action >= LICTOR_ACTION_BLOCK && c->refuses &&
	    !bpf_map_update_elem(&refused, &task, &which, BPF_ANY)) {
		lictor_report(s, EPERM, true);
		lictor_scratch_put(s);
	} else if (c->refuses) {
		lictor_let_pass(s, 0);
	} else {
		lictor_observe(s, 0);
	}
	return 0;
}

#define LICTOR_PRE_CONNECT(function) \
	SEC("fentry/" #function) \
	int BPF_PROG(fe_##function, struct sock *sk, struct sockaddr *address, int length) \
	{ \
		return lictor_own_connect(sk, address, length, LICTOR_HOOK_##function); \
	}

LICTOR_PRE_CONNECT(tcp_v4_pre_connect)
LICTOR_PRE_CONNECT(tcp_v6_pre_connect)
LICTOR_PRE_CONNECT(udp_pre_connect)
LICTOR_PRE_CONNECT(udpv6_pre_connect)

/* 0 refuses, with EPERM. */
static __always_inline int lictor_refuse(struct bpf_sock_addr *ctx)
{
	u64 task = bpf_get_current_pid_tgid(), which = (u64)ctx->sk;
	u64 *wanted = bpf_map_lookup_elem(&refused, &task);
	bool refuse;

	if (!wanted)
		return 1;
	refuse = *wanted == which;
	bpf_map_delete_elem(&refused, &task);
	return !refuse;
}

SEC("cgroup/connect4")
int cg_refuse4(struct bpf_sock_addr *ctx)
{
	return lictor_refuse(ctx);
}

SEC("cgroup/connect6")
int cg_refuse6(struct bpf_sock_addr *ctx)
{
	return lictor_refuse(ctx);
}
