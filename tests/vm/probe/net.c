// SPDX-License-Identifier: Apache-2.0
/*
 * The network: connecting, sending, listening, by every sort of socket.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe.h"
#include "ring.h"

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	struct sockaddr_un local;
};

static socklen_t address_of(const char *host, const char *port, union address *to)
{
	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, host, &to->four.sin_addr) == 1) {
		to->four.sin_family = AF_INET;
		to->four.sin_port = htons((uint16_t)atoi(port));
		return sizeof(to->four);
	}
	inet_pton(AF_INET6, host, &to->six.sin6_addr);
	to->six.sin6_family = AF_INET6;
	to->six.sin6_port = htons((uint16_t)atoi(port));
	return sizeof(to->six);
}

/* '@' begins an abstract name */
static socklen_t local_of(const char *path, union address *to)
{
	size_t length = strlen(path);

	memset(to, 0, sizeof(*to));
	to->local.sun_family = AF_UNIX;
	memcpy(to->local.sun_path, path, length);
	if (path[0] == '@') {
		to->local.sun_path[0] = '\0';
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	}
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

/* Not waiting for an answer that does not come: a connection under way is a connection made. */
static int finish(int result)
{
	if (result < 0 && (errno == EINPROGRESS || errno == EAGAIN))
		return 0;
	return result < 0 ? fault("connect or send") : 0;
}

/* family: 0: the address's own */
static int stream(char **arg, int family, int protocol)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = socket(family ? family : to.any.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	CHECK(fd);
	return finish(connect(fd, &to.any, length));
}

static int do_tcp(char **arg)
{
	return stream(arg, 0, 0);
}

static int do_mptcp(char **arg)
{
	return stream(arg, 0, 262);
}

/* TCP that may go over remote memory: the kernel makes the TCP connection for it */
static int do_smc(char **arg)
{
	return stream(arg, AF_SMC, 0);
}

static int do_tcp_from(char **arg)
{
	union address from, to;
	socklen_t from_length = address_of(arg[0], arg[1], &from), length = address_of(arg[2], arg[3], &to);
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(fd);
	CHECK(bind(fd, &from.any, from_length));
	return finish(connect(fd, &to.any, length));
}

static int do_udp(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	return finish(connect(fd, &to.any, length));
}

/* sendto HOST PORT [unspec]: the address family that IPv4 takes for its own */
static int do_sendto(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	if (arg[2])
		to.any.sa_family = AF_UNSPEC;
	return finish((int)sendto(fd, "x", 1, 0, &to.any, length));
}

static int do_sendmmsg(char **arg)
{
	union address first, second;
	socklen_t length = address_of(arg[0], arg[2], &first);
	struct iovec data = { "x", 1 };
	struct mmsghdr messages[2] = { 0 };
	int fd = socket(first.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), sent;

	address_of(arg[1], arg[2], &second);
	for (int i = 0; i < 2; i++) {
		messages[i].msg_hdr.msg_name = i ? &second : &first;
		messages[i].msg_hdr.msg_namelen = length;
		messages[i].msg_hdr.msg_iov = &data;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	CHECK(fd);
	sent = sendmmsg(fd, messages, 2, 0);
	CHECK(sent);
	return sent == 2 ? 0 : 1;
}

/* fastopen HOST PORT [PROTOCOL] */
static int do_fastopen(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			arg[2] ? atoi(arg[2]) : 0);

	CHECK(fd);
	return finish((int)sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, &to.any, length));
}

/* tcp-deferred HOST PORT: connect() only notes the address; the first data opens the connection */
static int do_tcp_deferred(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int one = 1, fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(fd);
	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &one, sizeof(one)));
	CHECK(connect(fd, &to.any, length));
	return finish((int)send(fd, "x", 1, MSG_NOSIGNAL));
}

/* tcp-repaired HOST PORT: a connection without a word to the other end, and data for it */
static int do_tcp_repaired(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int on = TCP_REPAIR_ON, off = TCP_REPAIR_OFF;
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(fd);
	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)));
	CHECK(connect(fd, &to.any, length));
	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off)));
	return finish((int)send(fd, "x", 1, MSG_NOSIGNAL));
}

/* An IPv4 address on an IPv6 datagram socket. */
static int do_sendto_four_on_six(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	return finish((int)sendto(fd, "x", 1, 0, &to.any, length));
}

/* mptcp-pair IP PORT: both ends of an MPTCP connection, for two seconds */
static int do_mptcp_pair(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int server = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 262);
	int client = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 262), taken;
	union address all = to;
	char byte;

	CHECK(server);
	CHECK(client);
	all.four.sin_addr.s_addr = 0;
	CHECK(bind(server, &all.any, length));
	CHECK(listen(server, 4));
	CHECK(connect(client, &to.any, length));
	taken = accept(server, NULL, NULL);
	CHECK(taken);
	CHECK(write(client, "x", 1));
	CHECK(read(taken, &byte, 1));
	CHECK(write(taken, "y", 1));
	CHECK(read(client, &byte, 1));
	sleep(2);
	return 0;
}

/* raw-six IP: a datagram of a raw socket for UDP, to an address of no family */
static int do_raw_six(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], "0", &to);
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);

	CHECK(fd);
	to.any.sa_family = AF_UNSPEC;
	return finish((int)sendto(fd, "xxxxxxxx", 8, 0, &to.any, length));
}

static int do_raw(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], "0", &to);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 253);

	CHECK(fd);
	return finish((int)sendto(fd, "xxxxxxxx", 8, 0, &to.any, length));
}

static int do_bind(char **arg)
{
	union address at;
	socklen_t length = address_of(arg[0], arg[1], &at);
	int one = 1, fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	CHECK(bind(fd, &at.any, length));
	return 0;
}

static int do_listen(char **arg)
{
	union address at;
	socklen_t length = address_of(arg[0], arg[1], &at);
	int one = 1, fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	CHECK(bind(fd, &at.any, length));
	CHECK(listen(fd, 4));
	return 0;
}

/* serve HOST PORT | serve PATH: listens in the background for ever; returns once it does */
static int do_serve(char **arg)
{
	union address at;
	socklen_t length = arg[1] ? address_of(arg[0], arg[1], &at) : local_of(arg[0], &at);
	int one = 1, fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!arg[1] && arg[0][0] != '@')
		unlink(arg[0]);
	CHECK(bind(fd, &at.any, length));
	CHECK(listen(fd, 64));
	if (fork() > 0)
		return 0;
	setsid();
	for (int null = open("/dev/null", O_RDWR), i = 0; i < 3; i++)
		dup2(null, i);
	for (;;)
		close(accept(fd, NULL, NULL));
}

static int do_local(char **arg)
{
	union address to;
	socklen_t length = local_of(arg[0], &to);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	CHECK(connect(fd, &to.any, length));
	return 0;
}

/* Sends a datagram to a unix socket without connecting. */
static int do_local_sendto(char **arg)
{
	union address to;
	socklen_t length = local_of(arg[0], &to);
	int own = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(own);
	CHECK(fd);
	if (arg[0][0] != '@')
		unlink(arg[0]);
	CHECK(bind(own, &to.any, length));
	CHECK(sendto(fd, "x", 1, 0, &to.any, length));
	return 0;
}

/* accept HOST PORT [FROM PORT] | accept PATH: takes one connection, made by a child */
static int do_accept(char **arg)
{
	union address at, from;
	socklen_t length = arg[1] ? address_of(arg[0], arg[1], &at) : local_of(arg[0], &at);
	int one = 1, fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), end;
	char byte;

	CHECK(fd);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!arg[1] && arg[0][0] != '@')
		unlink(arg[0]);
	CHECK(bind(fd, &at.any, length));
	CHECK(listen(fd, 4));
	if (!fork()) {
		close(fd);
		end = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(end, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (arg[1] && arg[2])
			bind(end, &from.any, address_of(arg[2], arg[3], &from));
		_exit(connect(end, &at.any, length) || read(end, &byte, 1) < 0);
	}
	CHECK(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
	return 0;
}

/* accept-none HOST PORT: nobody has come */
static int do_accept_none(char **arg)
{
	union address at;
	socklen_t length = address_of(arg[0], arg[1], &at);
	int one = 1, fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(fd);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	CHECK(bind(fd, &at.any, length));
	CHECK(listen(fd, 4));
	CHECK(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
	return 0;
}

/* socket FAMILY TYPE [PROTOCOL] */
static int do_socket(char **arg)
{
	CHECK(socket(atoi(arg[0]), atoi(arg[1]), arg[2] ? atoi(arg[2]) : 0));
	return 0;
}

static int do_socketpair(char **arg)
{
	int ends[2];

	CHECK(socketpair(atoi(arg[0]), atoi(arg[1]), 0, ends));
	return 0;
}

#define SOL_SCTP 132
#define SCTP_SOCKOPT_BINDX_ADD 100
#define SCTP_SOCKOPT_CONNECTX 110
#define SCTP_DSTADDRV4 7

static int sctp_socket(int type)
{
	return socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_SCTP);
}

static int do_sctp(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = sctp_socket(SOCK_STREAM);

	CHECK(fd);
	return finish(connect(fd, &to.any, length));
}

static int do_sctp_sendto(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = sctp_socket(SOCK_SEQPACKET);

	CHECK(fd);
	return finish((int)sendto(fd, "x", 1, 0, &to.any, length));
}

/* PORT HOST...: one after the other without gaps; ret_length receives their length */
static struct sockaddr_in *packed(char **arg, socklen_t *ret_length)
{
	static struct sockaddr_in list[8];
	union address one;
	int count = 0;

	for (; count < 8 && arg[count + 1]; count++) {
		address_of(arg[count + 1], arg[0], &one);
		list[count] = one.four;
	}
	*ret_length = (socklen_t)(count * (int)sizeof(list[0]));
	return list;
}

/* sctp-connectx PORT HOST... */
static int do_sctp_connectx(char **arg)
{
	socklen_t length;
	struct sockaddr_in *list = packed(arg, &length);
	int fd = sctp_socket(SOCK_SEQPACKET);

	CHECK(fd);
	return finish(setsockopt(fd, SOL_SCTP, SCTP_SOCKOPT_CONNECTX, list, length));
}

/* sctp-bindx PORT HOST... */
static int do_sctp_bindx(char **arg)
{
	socklen_t length;
	struct sockaddr_in *list = packed(arg, &length);
	int fd = sctp_socket(SOCK_SEQPACKET);

	CHECK(fd);
	CHECK(setsockopt(fd, SOL_SCTP, SCTP_SOCKOPT_BINDX_ADD, list, length));
	return 0;
}

/* sctp-more HOST PORT MORE: a message to one address, that brings along another of its peer's */
static int do_sctp_more(char **arg)
{
	char room[CMSG_SPACE(sizeof(struct in_addr))] __attribute__((aligned(8))) = "";
	union address to, more;
	socklen_t length = address_of(arg[0], arg[1], &to);
	struct iovec data = { (void *)(uintptr_t)"x", 1 };
	struct msghdr message = { .msg_name = &to, .msg_namelen = length, .msg_iov = &data,
				  .msg_iovlen = 1, .msg_control = room,
				  .msg_controllen = sizeof(room) };
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);
	int fd = sctp_socket(SOCK_SEQPACKET);

	CHECK(fd);
	address_of(arg[2], arg[1], &more);
	*part = (struct cmsghdr){ .cmsg_level = IPPROTO_SCTP, .cmsg_type = SCTP_DSTADDRV4,
				  .cmsg_len = CMSG_LEN(sizeof(struct in_addr)) };
	memcpy(CMSG_DATA(part), &more.four.sin_addr, sizeof(struct in_addr));
	return finish((int)sendmsg(fd, &message, 0));
}

/* vsock CID PORT: to a virtual machine, or its host; CID 1 is this one itself */
static int do_vsock(char **arg)
{
	struct sockaddr_vm to = { .svm_family = AF_VSOCK, .svm_cid = (unsigned int)atoi(arg[0]),
				  .svm_port = (unsigned int)atoi(arg[1]) };
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	CHECK(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	return 0;
}

#define FRAME_TYPE 0x88b5	/* for experiments */

/* packet DEVICE WAY: a frame, by sendto, by a bound socket, by one of the obsolete type */
static int do_packet(char **arg)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(FRAME_TYPE),
				  .sll_halen = 6, .sll_addr = { 2, 0, 0, 0, 0, 2 } };
	struct sockaddr old = { .sa_family = AF_PACKET };
	char frame[60] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, (char)(FRAME_TYPE >> 8),
			   (char)FRAME_TYPE };
	bool obsolete = is(arg[1], "obsolete"), bound = is(arg[1], "bound");
	int fd = socket(AF_PACKET, (obsolete ? SOCK_PACKET : SOCK_RAW) | SOCK_CLOEXEC,
			htons(FRAME_TYPE));

	CHECK(fd);
	to.sll_ifindex = (int)if_nametoindex(arg[0]);
	strncpy(old.sa_data, arg[0], sizeof(old.sa_data) - 1);
	if (bound)
		CHECK(bind(fd, (struct sockaddr *)&to, sizeof(to)));
	if (bound)
		CHECK(send(fd, frame, sizeof(frame), 0));
	else if (obsolete)
		CHECK(sendto(fd, frame, sizeof(frame), 0, &old, sizeof(old)));
	else
		CHECK(sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)));
	return 0;
}

/* A connection, or -1 and errno */
static int connected(const char *host, const char *port)
{
	union address to;
	socklen_t length = address_of(host, port, &to);
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 || connect(fd, &to.any, length) ? -1 : fd;
}

/* hold-tcp HOST PORT GO WAY DONE: as hold, with a connection */
static int do_hold_tcp(char **arg)
{
	return hold(connected(arg[0], arg[1]), NULL, arg + 2);
}

/* give-tcp HOST PORT PROGRAM ARGS...: as give, with a connection */
static int do_give_tcp(char **arg)
{
	return give(connected(arg[0], arg[1]), arg + 2);
}

/* keep-tcp HOST PORT PROGRAM ARGS...: as keep, with a connection */
static int do_keep_tcp(char **arg)
{
	return keep(connected(arg[0], arg[1]), arg + 2);
}

static int do_uring_connect(char **arg)
{
	struct io_uring_sqe request = { .opcode = IORING_OP_CONNECT };
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);

	request.fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(request.fd);
	request.addr = (unsigned long)&to;
	request.off = length;
	return ring_once(&request);
}

/* From 6.11. */
#define OP_BIND 56
#define OP_LISTEN 57

/* uring-bind HOST PORT */
static int do_uring_bind(char **arg)
{
	struct io_uring_sqe request = { .opcode = OP_BIND };
	union address at;
	socklen_t length = address_of(arg[0], arg[1], &at);

	request.fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(request.fd);
	request.addr = (unsigned long)&at;
	request.addr2 = length;
	return ring_once(&request);
}

/* uring-listen HOST PORT */
static int do_uring_listen(char **arg)
{
	struct io_uring_sqe request = { .opcode = OP_LISTEN, .len = 4 };
	union address at;
	socklen_t length = address_of(arg[0], arg[1], &at);

	request.fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(request.fd);
	CHECK(bind(request.fd, &at.any, length));
	return ring_once(&request);
}

/* uring-sendmsg HOST PORT: a datagram that is not copied */
static int do_uring_sendmsg(char **arg)
{
	struct io_uring_sqe request = { .opcode = IORING_OP_SENDMSG_ZC };
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	struct iovec data = { (void *)(uintptr_t)"x", 1 };
	struct msghdr message = { .msg_name = &to, .msg_namelen = length, .msg_iov = &data,
				  .msg_iovlen = 1 };

	request.fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(request.fd);
	request.addr = (unsigned long)&message;
	request.len = 1;
	return ring_once(&request);
}

const struct word probe_net[] = {
	{ "accept", 1, do_accept },
	{ "accept-none", 2, do_accept_none },
	{ "bind", 2, do_bind },
	{ "fastopen", 2, do_fastopen },
	{ "give-tcp", 3, do_give_tcp },
	{ "hold-tcp", 5, do_hold_tcp },
	{ "keep-tcp", 3, do_keep_tcp },
	{ "listen", 2, do_listen },
	{ "local", 1, do_local },
	{ "local-sendto", 1, do_local_sendto },
	{ "mptcp", 2, do_mptcp },
	{ "mptcp-pair", 2, do_mptcp_pair },
	{ "packet", 2, do_packet },
	{ "raw", 1, do_raw },
	{ "raw-six", 1, do_raw_six },
	{ "sctp", 2, do_sctp },
	{ "sctp-bindx", 2, do_sctp_bindx },
	{ "sctp-connectx", 2, do_sctp_connectx },
	{ "sctp-more", 3, do_sctp_more },
	{ "sctp-sendto", 2, do_sctp_sendto },
	{ "sendmmsg", 3, do_sendmmsg },
	{ "sendto", 2, do_sendto },
	{ "sendto46", 2, do_sendto_four_on_six },
	{ "serve", 1, do_serve },
	{ "smc", 2, do_smc },
	{ "socket", 2, do_socket },
	{ "socketpair", 2, do_socketpair },
	{ "tcp", 2, do_tcp },
	{ "tcp-deferred", 2, do_tcp_deferred },
	{ "tcp-from", 4, do_tcp_from },
	{ "tcp-repaired", 2, do_tcp_repaired },
	{ "udp", 2, do_udp },
	{ "uring-bind", 2, do_uring_bind },
	{ "uring-connect", 2, do_uring_connect },
	{ "uring-listen", 2, do_uring_listen },
	{ "uring-sendmsg", 2, do_uring_sendmsg },
	{ "vsock", 2, do_vsock },
	{ NULL, 0, NULL },
};
