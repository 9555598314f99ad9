/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network: connections and datagrams to an address, addresses taken, sockets that listen. Unix
 * sockets are judged where the kernel has found the peer, by the path that the peer is bound to.
 */
#include "bpf/net.bpf.h"
#include "lsm/verdict.bpf.h"

#define MSG_FASTOPEN 0x20000000
#define AF_NETLINK 16
#define AF_ALG 38

/* Families that lead to no other process or host: the kernel itself is the peer. */
static __always_inline bool lictor_kernel_family(u32 family)
{
	return family == AF_NETLINK || family == AF_ALG;
}

static __always_inline void lictor_gather_socket(struct lictor_scratch *s, struct sock *sk)
{
	lictor_number(s, LICTOR_FIELD_NETWORK_TRANSPORT,
		      lictor_transport(sk->__sk_common.skc_family, sk->sk_type, sk->sk_protocol));
}

SEC("lsm/socket_connect")
int BPF_PROG(lsm_socket_connect, struct socket *sock, struct sockaddr *address, int addrlen,
	     int ret)
{
	struct sock *sk = sock->sk;
	u16 asked = AF_UNSPEC;
	u32 family;

	if (!sk)
		return ret;
	family = sk->__sk_common.skc_family;
	if (family == AF_UNIX || lictor_kernel_family(family))
		return ret;
	if (addrlen >= 2)
		bpf_probe_read_kernel(&asked, sizeof(asked), address);
	/* Takes back an earlier connect(). */
	if (addrlen >= 2 && asked == AF_UNSPEC)
		return ret;
	LICTOR_OPEN(s, LICTOR_EVENT_CONNECT, LICTOR_EVENTS, socket_connect);
	lictor_gather_socket(s, sk);
	lictor_gather_own_end(s, sk);
	lictor_gather_address(s, LICTOR_ADDRESS_DESTINATION, address, addrlen, AF_UNSPEC);
	lictor_decide(s, LICTOR_EVENT_CONNECT, 0);
	return lictor_deny(s);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(lsm_socket_sendmsg, struct socket *sock, struct msghdr *msg, int size, int ret)
{
	struct sock *sk = sock->sk;
	u32 length = msg->msg_namelen, family, protocol;
	void *name = msg->msg_name;
	u16 asked = AF_INET;

	if (!sk)
		return ret;
	family = sk->__sk_common.skc_family;
	protocol = sk->sk_protocol;
	if (!name || !length || family == AF_UNIX || lictor_kernel_family(family))
		return ret;
	/* On a stream the address is ignored, but for one that opens with its first data. */
	if (sk->sk_type == SOCK_STREAM && protocol != IPPROTO_SCTP &&
	    !(msg->msg_flags & MSG_FASTOPEN))
		return ret;
	/* To UDP over IPv6 it means "no address": to the peer that connect() was judged by. */
	bpf_probe_read_kernel(&asked, sizeof(asked), name);
	if (asked == AF_UNSPEC && family == AF_INET6 && protocol == IPPROTO_UDP)
		return ret;
	LICTOR_OPEN(s, LICTOR_EVENT_CONNECT, LICTOR_EVENTS, socket_sendmsg);
	lictor_gather_socket(s, sk);
	lictor_gather_own_end(s, sk);
	lictor_gather_address(s, LICTOR_ADDRESS_DESTINATION, name, length, family);
	lictor_decide(s, LICTOR_EVENT_CONNECT, 0);
	return lictor_deny(s);
}

/* '@' and the name of an abstract socket, as far as it goes. */
static __always_inline void lictor_abstract_name(struct lictor_scratch *s, struct unix_sock *peer)
{
	struct unix_address *address = peer->addr;
	char *to = &s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX];
	u32 length;

	if (!address)
		return;
	length = address->len;
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
	struct unix_sock *peer = bpf_skc_to_unix_sock(other);
	lictor_tables tables = lictor_open(s->generation);
	struct dentry *dentry;

	lictor_number(s, LICTOR_FIELD_NETWORK_TRANSPORT, LICTOR_TRANSPORT_UNIX);
	s->facts.hits[LICTOR_STRING_SOCKET].state = LICTOR_ABSENT;
	if (peer && tables) {
		dentry = peer->path.dentry;
		if (dentry) {
			lictor_ascend(s, tables, 0, peer->path.mnt, dentry);
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

SEC("lsm/unix_stream_connect")
int BPF_PROG(lsm_unix_stream_connect, struct sock *sock, struct sock *other, struct sock *newsk,
	     int ret)
{
	LICTOR_OPEN(s, LICTOR_EVENT_CONNECT, LICTOR_EVENTS, unix_stream_connect);
	return lictor_unix(s, other);
}

SEC("lsm/unix_may_send")
int BPF_PROG(lsm_unix_may_send, struct socket *sock, struct socket *other, int ret)
{
	struct sock *peer = other->sk;

	if (!peer)
		return ret;
	LICTOR_OPEN(s, LICTOR_EVENT_CONNECT, LICTOR_EVENTS, unix_may_send);
	return lictor_unix(s, peer);
}

SEC("lsm/socket_bind")
int BPF_PROG(lsm_socket_bind, struct socket *sock, struct sockaddr *address, int addrlen, int ret)
{
	struct sock *sk = sock->sk;

	if (!sk || lictor_kernel_family(sk->__sk_common.skc_family))
		return ret;
	LICTOR_OPEN(s, LICTOR_EVENT_BIND, LICTOR_EVENTS, socket_bind);
	lictor_gather_socket(s, sk);
	lictor_gather_address(s, LICTOR_ADDRESS_SOURCE, address, addrlen,
			      sk->__sk_common.skc_family == AF_INET ? AF_INET : AF_UNSPEC);
	s->facts.hits[LICTOR_STRING_SOCKET].state = LICTOR_ABSENT;
	lictor_decide(s, LICTOR_EVENT_BIND, 0);
	return lictor_deny(s);
}

SEC("lsm/socket_listen")
int BPF_PROG(lsm_socket_listen, struct socket *sock, int backlog, int ret)
{
	struct sock *sk = sock->sk;

	if (!sk)
		return ret;
	LICTOR_OPEN(s, LICTOR_EVENT_LISTEN, LICTOR_EVENTS, socket_listen);
	lictor_gather_socket(s, sk);
	lictor_gather_own_end(s, sk);
	if (s->facts.v.state[LICTOR_FIELD_SOURCE_IP] == LICTOR_PRESENT)
		lictor_network_type(s, LICTOR_ADDRESS_SOURCE);
	s->facts.hits[LICTOR_STRING_SOCKET].state = LICTOR_ABSENT;
	lictor_decide(s, LICTOR_EVENT_LISTEN, 0);
	return lictor_deny(s);
}
