/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network: connections and datagrams to an address, addresses taken, sockets that listen. Unix
 * sockets are judged where the kernel has found the peer, by the path that the peer is bound to.
 */
#include "bpf/held.bpf.h"
#include "bpf/net.bpf.h"
#include "lsm/verdict.bpf.h"

#define MSG_FASTOPEN 0x20000000
#define AF_NETLINK 16
#define AF_ALG 38
#define AF_SMC 43

/* Families that lead to no other process or host: the kernel itself is the peer. */
static __always_inline bool lictor_kernel_family(u32 family)
{
	return family == AF_NETLINK || family == AF_ALG;
}

/* MPTCP and SMC connect by a socket of the kernel's own, which comes by lsm/cgroup.bpf.c. */
static __always_inline void lictor_note_connect(struct lictor_scratch *s)
{
	struct lictor_subject *subject =
		bpf_task_storage_get(&subjects, bpf_get_current_task_btf(), 0, 0);

	if (!subject || lictor_denies(s))
		return;
	__builtin_memcpy(subject->connect_to, s->facts.v.address[LICTOR_ADDRESS_DESTINATION], 16);
	subject->connect_port = s->facts.v.num[LICTOR_FIELD_DESTINATION_PORT];
	subject->connect_ns = bpf_ktime_get_ns();
}

/* ---- source routes: the packet goes to the first hop, and the hop is who gets it ---- */

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

SEC(LICTOR_SECTION "socket_connect")
int LICTOR_PROG(lsm_socket_connect, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct sock *sk = KREAD(sock, sk);
	u16 asked = AF_UNSPEC;
	u32 family;

	if (!sk)
		return 0;
	family = KREAD(sk, __sk_common.skc_family);
	if (family == AF_UNIX || lictor_kernel_family(family))
		return 0;
	if (addrlen >= 2)
		bpf_probe_read_kernel(&asked, sizeof(asked), address);
	/* Takes back an earlier connect(). */
	if (addrlen >= 2 && asked == AF_UNSPEC)
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_CONNECT, LICTOR_EVENTS, socket_connect);
	lictor_gather_socket(s, sk);
	lictor_gather_own_end(s, sk);
	lictor_gather_address(s, LICTOR_ADDRESS_DESTINATION, address, addrlen, AF_UNSPEC);
	s->twice = lictor_is_routed(sk, NULL);
	lictor_decide(s, LICTOR_EVENT_CONNECT, 0);
	if (s->twice)
		lictor_decide_routes(s, sk, NULL);
	if (family == AF_SMC || KREAD(sk, sk_protocol) == IPPROTO_MPTCP)
		lictor_note_connect(s);
	return lictor_deny(s);
}

/* Using a connection that nobody was asked about is connecting to its peer. */
static __always_inline void lictor_decide_connected(struct lictor_scratch *s, struct sock *sk,
						    u32 flags)
{
	s->record.flags = flags;
	lictor_gather_socket(s, sk);
	lictor_gather_own_end(s, sk);
	if (lictor_gather_peer(s, sk))
		lictor_decide(s, LICTOR_EVENT_CONNECT, 0);
}

static __always_inline int lictor_send_connected(struct socket *sock, struct sock *sk,
						 struct msghdr *msg)
{
	struct file *file = KREAD(sock, file);
	bool held = file && lictor_held(file), routed = lictor_is_routed(sk, msg);

	if (!held && !routed)
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_CONNECT, LICTOR_EVENTS, socket_sendmsg);
	s->twice = routed;
	if (held) {
		lictor_decide_connected(s, sk, LICTOR_RECORD_HELD);
	} else {
		lictor_gather_socket(s, sk);
		lictor_gather_own_end(s, sk);
		lictor_gather_peer(s, sk);
	}
	if (routed)
		lictor_decide_routes(s, sk, msg);
	return lictor_deny(s);
}

/* A connection that another process has made, and hands over, is connecting to its peer. */
SEC(LICTOR_SECTION "file_receive")
int LICTOR_PROG(lsm_socket_receive, struct file *file)
{
	struct socket *sock;
	struct sock *sk;

	if ((KREAD(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	sock = lictor_socket_of(file);
	sk = sock ? KREAD(sock, sk) : NULL;
	if (!sk)
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_CONNECT, LICTOR_EVENTS, socket_receive);
	lictor_decide_connected(s, sk, LICTOR_RECORD_RECEIVED);
	return lictor_deny_given(s);
}

/*
 * The same by splice(2) and sendfile(2), which before 6.5 ask no socket hook; other ways of sending
 * come here too, and are told of there. So only what is stopped is told here.
 */
SEC(LICTOR_SECTION "file_permission")
int LICTOR_PROG(lsm_held_send, struct file *file, int mask)
{
	struct socket *sock;
	struct sock *sk;

	if (!(mask & MAY_WRITE) || (KREAD(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK ||
	    !lictor_held(file))
		return 0;
	sock = lictor_socket_of(file);
	sk = sock ? KREAD(sock, sk) : NULL;
	if (!sk)
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_CONNECT, LICTOR_EVENTS, held_send);
	lictor_decide_connected(s, sk, LICTOR_RECORD_HELD);
	if (s->outcome.action < LICTOR_ACTION_BLOCK) {
		lictor_scratch_put(s);
		return 0;
	}
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "socket_sendmsg")
int LICTOR_PROG(lsm_socket_sendmsg, struct socket *sock, struct msghdr *msg, int size)
{
	struct sock *sk = KREAD(sock, sk);
	u32 length = KREAD(msg, msg_namelen), family, protocol, type;
	void *name = KREAD(msg, msg_name);
	u16 asked = AF_INET;

	if (!sk)
		return 0;
	family = KREAD(sk, __sk_common.skc_family);
	protocol = KREAD(sk, sk_protocol);
	type = KREAD(sk, sk_type);
	if (family == AF_UNIX || lictor_kernel_family(family))
		return 0;
	if (!name || !length)
		return lictor_send_connected(sock, sk, msg);
	/* On a stream the address is ignored, but for one that opens with its first data. */
	if (type == SOCK_STREAM && protocol != IPPROTO_SCTP &&
	    !(KREAD(msg, msg_flags) & MSG_FASTOPEN))
		return lictor_send_connected(sock, sk, msg);
	/* To UDP over IPv6 it means "no address": to the peer that connect() was judged by. */
	bpf_probe_read_kernel(&asked, sizeof(asked), name);
	if (asked == AF_UNSPEC && family == AF_INET6 && type == SOCK_DGRAM &&
	    (protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE))
		return lictor_send_connected(sock, sk, msg);
	LICTOR_OPEN(s, LICTOR_EVENT_CONNECT, LICTOR_EVENTS, socket_sendmsg);
	lictor_gather_socket(s, sk);
	lictor_gather_own_end(s, sk);
	lictor_gather_address(s, LICTOR_ADDRESS_DESTINATION, name, length, family);
	s->twice = lictor_is_routed(sk, msg);
	lictor_decide(s, LICTOR_EVENT_CONNECT, 0);
	if (s->twice)
		lictor_decide_routes(s, sk, msg);
	if (protocol == IPPROTO_MPTCP)
		lictor_note_connect(s);
	return lictor_deny(s);
}

static __always_inline struct unix_sock *lictor_unix_sock(struct sock *sock)
{
#ifdef LICTOR_PROBING
	return (struct unix_sock *)sock;
#else
	return bpf_skc_to_unix_sock(sock);
#endif
}

/* '@' and the name of an abstract socket, as far as it goes. */
static __always_inline void lictor_abstract_name(struct lictor_scratch *s, struct unix_sock *peer)
{
	struct unix_address *address = KREAD(peer, addr);
	char *to = &s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX];
	u32 length;

	if (!address)
		return;
	length = KREAD(address, len);
	if (length < 3 || length > 110)
		return;
	length -= 2;
	bpf_probe_read_kernel(to, length & 127, &address->name[0].sun_path);
	to[0] = '@';
	lictor_record_text(s, LICTOR_FIELD_DESTINATION_PATH, 0, 0, to, length & 127);
	lictor_short(s, s->generation, length & 127, LICTOR_SPACE_SOCKET, LICTOR_STRING_SOCKET);
}

static __always_inline int lictor_unix(struct lictor_scratch *s, struct sock *other)
{
	struct unix_sock *peer = lictor_unix_sock(other);
	lictor_tables tables = lictor_open(s->generation);
	struct dentry *dentry;

	lictor_number(s, LICTOR_FIELD_NETWORK_TRANSPORT, LICTOR_TRANSPORT_UNIX);
	if (peer && tables) {
		dentry = KREAD(peer, path.dentry);
		if (dentry) {
			lictor_ascend(s, tables, 0, KREAD(peer, path.mnt), dentry);
			s->ascent[0].field = LICTOR_FIELD_DESTINATION_PATH;
			lictor_views(s, s->generation, 0, LICTOR_SPACE_SOCKET,
				     LICTOR_STRING_SOCKET);
		} else {
			lictor_abstract_name(s, peer);
		}
	}
	lictor_decide(s, LICTOR_EVENT_CONNECT, 0);
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "unix_stream_connect")
int LICTOR_PROG(lsm_unix_stream_connect, struct sock *sock, struct sock *other, struct sock *newsk)
{
	LICTOR_OPEN(s, LICTOR_EVENT_CONNECT, LICTOR_EVENTS, unix_stream_connect);
	return lictor_unix(s, other);
}

SEC(LICTOR_SECTION "unix_may_send")
int LICTOR_PROG(lsm_unix_may_send, struct socket *sock, struct socket *other)
{
	struct sock *peer = KREAD(other, sk);

	if (!peer)
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_CONNECT, LICTOR_EVENTS, unix_may_send);
	return lictor_unix(s, peer);
}

SEC(LICTOR_SECTION "socket_bind")
int LICTOR_PROG(lsm_socket_bind, struct socket *sock, struct sockaddr *address, int addrlen)
{
	struct sock *sk = KREAD(sock, sk);

	if (!sk || lictor_kernel_family(KREAD(sk, __sk_common.skc_family)))
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_BIND, LICTOR_EVENTS, socket_bind);
	lictor_gather_socket(s, sk);
	lictor_gather_address(s, LICTOR_ADDRESS_SOURCE, address, addrlen,
			      KREAD(sk, __sk_common.skc_family) == AF_INET ? AF_INET : AF_UNSPEC);
	lictor_decide(s, LICTOR_EVENT_BIND, 0);
	return lictor_deny(s);
}

/* A socket of this process's that others connect to: the hook's return value. */
static __always_inline int lictor_judge_listener(struct lictor_scratch *s, struct sock *sk, u32 event)
{
	lictor_gather_socket(s, sk);
	lictor_gather_own_end(s, sk);
	if (s->facts.v.state[LICTOR_FIELD_SOURCE_IP] == LICTOR_PRESENT)
		lictor_network_type(s, LICTOR_ADDRESS_SOURCE);
	lictor_decide(s, event, 0);
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "socket_listen")
int LICTOR_PROG(lsm_socket_listen, struct socket *sock, int backlog)
{
	struct sock *sk = KREAD(sock, sk);

	if (!sk)
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_LISTEN, LICTOR_EVENTS, socket_listen);
	return lictor_judge_listener(s, sk, LICTOR_EVENT_LISTEN);
}

/* Who connects is not known yet: sock_graft. */
SEC(LICTOR_SECTION "socket_accept")
int LICTOR_PROG(lsm_socket_accept, struct socket *sock, struct socket *newsock)
{
	struct sock *sk = KREAD(sock, sk);

	if (!sk)
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_ACCEPT, LICTOR_EVENTS, socket_accept);
	return lictor_judge_listener(s, sk, LICTOR_EVENT_ACCEPT);
}

/* A connection has been taken: rules that ask for the peer. Nothing can be denied any more. */
SEC(LICTOR_SECTION "sock_graft")
int LICTOR_PROG(lsm_sock_graft, struct sock *sk, struct socket *parent)
{
	u32 family = KREAD(sk, __sk_common.skc_family);
	struct lictor_scratch *s = NULL;

	if (family != AF_INET && family != AF_INET6)
		return 0;
	if (lictor_begin(LICTOR_EVENT_ACCEPT, LICTOR_EVENTS, LICTOR_HOOK_sock_graft, lictor_way, &s) !=
		    LICTOR_DECIDE || !s)
		return 0;
	s->peer = LICTOR_RULE_PEER;
	lictor_gather_socket(s, sk);
	lictor_gather_own_end(s, sk);
	lictor_gather_peer(s, sk);
	lictor_decide(s, LICTOR_EVENT_ACCEPT, 0);
	lictor_observe(s, 0);
	return 0;
}

/* kern: the kernel makes it for itself. */
SEC(LICTOR_SECTION "socket_create")
int LICTOR_PROG(lsm_socket_create, int family, int type, int protocol, int kern)
{
	if (kern)
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_SOCKET, LICTOR_EVENTS, socket_create);
	/* SOCK_PACKET, the old way to raw frames, is family packet to the kernel. */
	if (family == AF_INET && type == SOCK_PACKET)
		family = AF_PACKET;
	lictor_number(s, LICTOR_FIELD_SOCKET_FAMILY, (u32)family);
	lictor_number(s, LICTOR_FIELD_SOCKET_TYPE, (u32)type);
	lictor_number(s, LICTOR_FIELD_SOCKET_PROTOCOL, (u32)protocol);
	lictor_number(s, LICTOR_FIELD_NETWORK_TRANSPORT,
		      lictor_transport(family, type, lictor_default_protocol(type, protocol)));
	if (family == AF_INET || family == AF_INET6)
		lictor_number(s, LICTOR_FIELD_NETWORK_TYPE, family == AF_INET ? 4 : 6);
	lictor_decide(s, LICTOR_EVENT_SOCKET, 0);
	return lictor_deny(s);
}

/* ---- SCTP: lists of addresses, by sctp_connectx(3) and sctp_bindx(3) ---- */

#define SCTP_SOCKOPT_BINDX_ADD 100
#define SCTP_SOCKOPT_CONNECTX 110
#define LICTOR_SCTP_ADDRESSES 64

struct lictor_sctp {
	struct lictor_scratch *s;
};

static long lictor_sctp_step(u32 index, struct lictor_sctp *c)
{
	struct lictor_scratch *s = c->s;
	struct lictor_addresses *l = &s->addresses;
	u64 address = l->list + l->at;
	u16 family = 0;
	u32 size;

	if (l->at + 2 > l->length)
		return 1;
	bpf_probe_read_kernel(&family, sizeof(family), (const void *)address);
	size = family == AF_INET6 ? 28 : 16;
	if (l->at + size > l->length)
		size = l->length - l->at;
	lictor_gather_address(s, l->slot, (const void *)address, size, AF_UNSPEC);
	lictor_decide(s, l->event, l->count > 0);
	l->count++;
	l->at += size;
	/* The one that a rule is about is the one to tell. */
	return s->outcome.rules > 0;
}

SEC(LICTOR_SECTION "sctp_bind_connect")
int LICTOR_PROG(lsm_sctp_bind_connect, struct sock *sk, int option, struct sockaddr *address,
		int length)
{
	bool binds = option == SCTP_SOCKOPT_BINDX_ADD;
	u32 event = binds ? LICTOR_EVENT_BIND : LICTOR_EVENT_CONNECT;
	struct lictor_sctp c;

	if (!binds && option != SCTP_SOCKOPT_CONNECTX)
		return 0;
	LICTOR_OPEN(s, event, LICTOR_EVENTS, sctp_bind_connect);
	c.s = s;
	s->twice = 1;
	lictor_gather_socket(s, sk);
	s->addresses.list = (u64)address;
	s->addresses.length = length > 0 ? length : 0;
	s->addresses.at = 0;
	s->addresses.count = 0;
	s->addresses.event = event;
	s->addresses.slot = binds ? LICTOR_ADDRESS_SOURCE : LICTOR_ADDRESS_DESTINATION;
	bpf_loop(LICTOR_SCTP_ADDRESSES, lictor_sctp_step, &c, 0);
	return lictor_deny(s);
}
