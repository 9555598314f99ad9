/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network where LSM programs are not to be had: programs at the root control group, which can
 * deny. They see the address that the caller gave, after the kernel has copied it.
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
		lictor_report(s, denied ? EPERM : 0);
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
