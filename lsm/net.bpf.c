/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network: connections and datagrams to an address, addresses taken, sockets that listen. Unix
 * sockets are judged where the kernel has found the peer, by the path that the peer is bound to.
 */
#include "bpf/held.bpf.h"
#include "bpf/route.bpf.h"
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
	lictor_judge_several(s, lictor_is_routed(sk, NULL));
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
	lictor_judge_several(s, routed);
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
	struct sock *sk = lictor_sock_of(file);

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
	struct sock *sk;

	if (!(mask & MAY_WRITE) || !lictor_held(file))
		return 0;
	sk = lictor_sock_of(file);
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
	lictor_judge_several(s, lictor_is_routed(sk, msg));
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
	lictor_record_text(s, LICTOR_FIELD_DESTINATION_PATH, 0, to, length & 127);
	lictor_short(s, s->generation, length & 127, LICTOR_SPACE_SOCKET, LICTOR_STRING_SOCKET);
}

static __always_inline int lictor_unix(struct lictor_scratch *s, struct sock *other)
{
	struct unix_sock *peer = lictor_unix_sock(other);
	struct dentry *dentry;

	lictor_number(s, LICTOR_FIELD_NETWORK_TRANSPORT, LICTOR_TRANSPORT_UNIX);
	if (peer) {
		dentry = KREAD(peer, path.dentry);
		if (dentry) {
			lictor_ascend(s, s->generation, 0, KREAD(peer, path.mnt), dentry);
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
	lictor_judge_several(s, true);
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
