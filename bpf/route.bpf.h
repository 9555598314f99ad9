/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source routes: the packet goes to the first hop, and the hop is who gets it. Found where the
 * kernel will look for them: on the socket, beside the message, and in flow labels.
 */
#ifndef LICTOR_ROUTE_H
#define LICTOR_ROUTE_H

#include "bpf/net.bpf.h"

#define IPPROTO_IP 0
#define IPPROTO_IPV6 41
#define IP_RETOPTS 7
#define IPV6_2292RTHDR 5
#define IPV6_RTHDR 57
#define IPOPT_NOOP 1
#define IPOPT_LSRR 131
#define IPOPT_SSRR 137
#define IPV6_SRCRT_TYPE_4 4
#define LICTOR_BESIDE 18	/* control messages that are looked at, and two ends */

static __always_inline u64 lictor_route4_of(struct sock *sk)
{
	u64 options = 0;
	u8 routed = 0;

	LICTOR_PEEK(options, (u64)sk, struct inet_sock, inet_opt);
	if (options)
		LICTOR_PEEK(routed, options, struct ip_options_rcu, opt.srr);
	return routed ? options : 0;
}

static __always_inline u64 lictor_labels_of(struct sock *sk)
{
	u64 six = 0, labels = 0;

	if (bpf_core_field_exists(struct inet_sock___labels, ipv6_fl_list)) {
		LICTOR_PEEK(labels, (u64)sk, struct inet_sock___labels, ipv6_fl_list);
		return labels;
	}
	LICTOR_PEEK(six, (u64)sk, struct inet_sock, pinet6);
	if (six)
		LICTOR_PEEK(labels, six, struct ipv6_pinfo, ipv6_fl_list);
	return labels;
}

static __always_inline u64 lictor_route6_of(struct sock *sk)
{
	u64 six = 0, options = 0, route = 0;

	LICTOR_PEEK(six, (u64)sk, struct inet_sock, pinet6);
	if (six)
		LICTOR_PEEK(options, six, struct ipv6_pinfo, opt);
	if (options)
		LICTOR_PEEK(route, options, struct ipv6_txoptions, srcrt);
	return route;
}

/* Does the socket have a source route, or may the message? */
static __noinline bool lictor_is_routed(struct sock *sk, struct msghdr *msg)
{
	u32 family = KREAD(sk, __sk_common.skc_family);

	if (family != AF_INET && family != AF_INET6)
		return false;
	return lictor_route4_of(sk) ||
	       (family == AF_INET6 && (lictor_route6_of(sk) || lictor_labels_of(sk))) ||
	       (msg && KREAD(msg, msg_controllen) >= 16);
}

static __always_inline void lictor_unknown_hop(struct lictor_scratch *s)
{
	s->facts.v.state[LICTOR_FIELD_DESTINATION_IP] = LICTOR_UNKNOWN;
	lictor_reason(s, LICTOR_REASON_ADDRESS_UNREADABLE);
}

/* A routing header of IPv6: where its packet goes first. */
static __noinline void lictor_gather_hop6(struct lictor_scratch *s, u64 route)
{
	u8 head[8] = {}, hop[16];

	bpf_probe_read_kernel(head, sizeof(head), (const void *)route);
	route += 8;
	if (head[2] == IPV6_SRCRT_TYPE_4)
		route += head[4] * 16u;
	if (bpf_probe_read_kernel(hop, sizeof(hop), (const void *)route))
		lictor_unknown_hop(s);
	else
		lictor_address6(s, LICTOR_ADDRESS_DESTINATION, hop);
}

/* Options of IPv4 as a message brings them: a route behind no more than padding is read. */
static __noinline bool lictor_gather_hop4(struct lictor_scratch *s, u64 options, u32 length)
{
	u64 option = 0;
	u32 hop, i;

	bpf_probe_read_kernel(&option, LICTOR_MASK(length < 8 ? length : 8, 15), (const void *)options);
	for (i = 0; i < 4 && (option & 0xff) == IPOPT_NOOP; i++)
		option >>= 8;
	option &= 0xff;
	if (!option)
		return false;
	if ((option != IPOPT_LSRR && option != IPOPT_SSRR) ||
	    bpf_probe_read_kernel(&hop, sizeof(hop), (const void *)(options + i + 3)))
		lictor_unknown_hop(s);
	else
		lictor_address4(s, LICTOR_ADDRESS_DESTINATION, hop);
	return true;
}

/* Of several of a level the last one holds. */
static long lictor_beside_step(u32 index, struct lictor_climb *c)
{
	struct { u64 length; u32 level, type; } head = {};
	struct lictor_addresses *l = &c->s->addresses;
	u64 data = l->list + l->at + sizeof(head);

	if (l->at + sizeof(head) > l->length ||
	    bpf_probe_read_kernel(&head, sizeof(head), (const void *)(l->list + l->at)) ||
	    head.length < sizeof(head) || head.length > l->length)
		return 1;
	l->at += ((u32)head.length + 7) & ~7u;
	if (head.level != l->level)
		return 0;
	if (head.level == IPPROTO_IPV6 &&
	    (head.type == IPV6_RTHDR || head.type == IPV6_2292RTHDR))
		lictor_gather_hop6(c->s, data);
	else if (head.level != IPPROTO_IP || head.type != IP_RETOPTS ||
		 !lictor_gather_hop4(c->s, data, (u32)head.length - sizeof(head)))
		return 0;
	l->count++;
	return 0;
}

enum {
	LICTOR_ROUTE_IPV4,
	LICTOR_ROUTE_IPV6,
	LICTOR_ROUTE_BESIDE_IPV4,	/* in control messages */
	LICTOR_ROUTE_BESIDE_IPV6,
	LICTOR_ROUTE_LABELS,	/* flow labels of the socket's, which bring options */
	LICTOR_ROUTES = LICTOR_ROUTE_LABELS + 5
};

/* The flow label number `number`: the last that is looked at stands for all that follow. */
static __noinline bool lictor_gather_label(struct lictor_scratch *s, struct sock *sk, u32 number)
{
	u64 label = KREAD(sk, __sk_common.skc_family) == AF_INET6 ? lictor_labels_of(sk) : 0;
	u64 flow = 0, options = 0, route = 0;
	u32 i;

	for (i = 0; i < number && label; i++)
		if (LICTOR_PEEK(label, label, struct ipv6_fl_socklist, next))
			return false;
	if (!label)
		return false;
	if (number == LICTOR_ROUTES - LICTOR_ROUTE_LABELS - 1) {
		lictor_unknown_hop(s);
		return true;
	}
	LICTOR_PEEK(flow, label, struct ipv6_fl_socklist, fl);
	LICTOR_PEEK(options, flow, struct ip6_flowlabel, opt);
	if (options)
		LICTOR_PEEK(route, options, struct ipv6_txoptions, srcrt);
	if (route)
		lictor_gather_hop6(s, route);
	return route;
}

/* The first hop of one of the routes that there may be, as the destination. */
static __noinline bool lictor_gather_route(struct lictor_scratch *s, struct sock *sk,
					   struct msghdr *msg, u32 which)
{
	struct lictor_climb c = { .s = s };
	u64 route;
	u32 hop = 0;

	if (which == LICTOR_ROUTE_IPV4) {
		route = lictor_route4_of(sk);
		if (!route)
			return false;
		LICTOR_PEEK(hop, route, struct ip_options_rcu, opt.faddr);
		lictor_address4(s, LICTOR_ADDRESS_DESTINATION, hop);
		return true;
	}
	if (which == LICTOR_ROUTE_IPV6) {
		route = KREAD(sk, __sk_common.skc_family) == AF_INET6 ? lictor_route6_of(sk) : 0;
		if (route)
			lictor_gather_hop6(s, route);
		return route;
	}
	s->addresses.count = 0;
	s->addresses.at = 0;
	s->addresses.level = which == LICTOR_ROUTE_BESIDE_IPV4 ? IPPROTO_IP : IPPROTO_IPV6;
	if (!msg)
		return false;
	s->addresses.list = (u64)KREAD(msg, msg_control);
	s->addresses.length = KREAD(msg, msg_controllen);
	if (bpf_loop(LICTOR_BESIDE, lictor_beside_step, &c, 0) < LICTOR_BESIDE)
		return s->addresses.count;
	lictor_unknown_hop(s);
	return true;
}

static __always_inline void lictor_decide_routes(struct lictor_scratch *s, struct sock *sk,
						 struct msghdr *msg)
{
	u8 *destination = s->facts.v.address[LICTOR_ADDRESS_DESTINATION], *kept = s->addresses.kept;
	u8 state = s->facts.v.state[LICTOR_FIELD_DESTINATION_IP];
	u32 rules = s->outcome.rules, which;

	__builtin_memcpy(kept, destination, sizeof(s->addresses.kept));
	for (which = 0; which < LICTOR_ROUTES; which++) {
		if (which < LICTOR_ROUTE_LABELS ?
			    !lictor_gather_route(s, sk, msg, which) :
			    !lictor_gather_label(s, sk, which - LICTOR_ROUTE_LABELS))
			continue;
		if (s->facts.v.state[LICTOR_FIELD_DESTINATION_IP] == LICTOR_PRESENT)
			lictor_network_type(s, LICTOR_ADDRESS_DESTINATION);
		lictor_decide(s, LICTOR_EVENT_CONNECT, 1);
		if (s->outcome.rules == rules)
			continue;
		rules = s->outcome.rules;
		state = s->facts.v.state[LICTOR_FIELD_DESTINATION_IP];
		__builtin_memcpy(kept, destination, sizeof(s->addresses.kept));
	}
	/* The record tells the last address that rules are about. */
	__builtin_memcpy(destination, kept, sizeof(s->addresses.kept));
	s->facts.v.state[LICTOR_FIELD_DESTINATION_IP] = state;
	if (state == LICTOR_PRESENT)
		lictor_network_type(s, LICTOR_ADDRESS_DESTINATION);
}

#endif
