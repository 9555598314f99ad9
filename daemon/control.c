/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: beside the sinks. In: clients of the control socket, who may be hostile, and lines that
 * are to be watched. Out: answers, streams. A request has a fixed buffer, an answer is made piece
 * by piece as it is taken, a stream has a bounded queue; nothing is read of a client after its
 * request. May touch: its sockets.
 */
#include "daemon/control.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "daemon/listen.h"
#include "daemon/own.h"

#define EVENTS_AT_ONCE 32
#define PIECE 16384u	/* of an answer, before some of it is sent */
#define LISTENER LICTOR_CONTROL_CLIENTS

enum phase { FREE, ASKING, ANSWERING, WATCHING, CLOSING };

struct client {
	int fd;
	enum phase phase;
	time_t since;	/* when it last did what it is there for */
	size_t asked;
	char ask[LICTOR_REQUEST_MAX];
	struct lictor_request request;
	struct lictor_cursor cursor;
	struct lictor_line out;
	size_t sent;	/* of out */
};

struct lictor_clients {
	int epoll;
	int listener;
	gid_t gid;
	char *path;
	lictor_answer *answer;
	void *context;
	struct client client[LICTOR_CONTROL_CLIENTS];
	size_t watchers[LICTOR_FORMS];
	struct lictor_clients_state state;
	struct lictor_sink_count count;	/* of watchers */
};

OWNABLE(struct lictor_clients, lictor_clients_close)

static time_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

static size_t waiting(const struct client *client)
{
	return client->out.length - client->sent;
}

static void count_lost(struct lictor_clients *clients, const struct client *client)
{
	const char *at = client->out.byte + client->sent;
	const char *end = client->out.byte + client->out.length;

	while (waiting(client) && (at = memchr(at, '\n', (size_t)(end - at)))) {
		clients->count.written--;
		clients->count.lost++;
		at++;
	}
}

static void release(struct lictor_clients *clients, struct client *client)
{
	if (client->phase == WATCHING) {
		clients->watchers[client->request.form]--;
		clients->count.queued -= waiting(client);
		count_lost(clients, client);
	}
	close(client->fd);
	lictor_line_done(&client->out);
	*client = (struct client){ .fd = -1 };
	clients->state.clients--;
}

static void drop(struct lictor_clients *clients, struct client *client)
{
	clients->state.dropped++;
	release(clients, client);
}

/* A client is listened to until it has asked, and after that only written to. */
static void poll_for(struct lictor_clients *clients, const struct client *client)
{
	bool out = waiting(client) || client->phase == ANSWERING || client->phase == CLOSING;
	struct epoll_event event = {
		.events = (client->phase == ASKING ? EPOLLIN : 0u) | (out ? EPOLLOUT : 0u),
		.data.u32 = (uint32_t)(client - clients->client),
	};

	epoll_ctl(clients->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

/* Returns false if the client is gone. */
static bool send_waiting(struct lictor_clients *clients, struct client *client)
{
	struct lictor_line *out = &client->out;
	ssize_t sent;

	if (!waiting(client))
		return true;
	sent = send(client->fd, out->byte + client->sent, waiting(client),
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		release(clients, client);
		return false;
	}
	if (sent > 0) {
		client->sent += (size_t)sent;
		if (client->phase == WATCHING)
			clients->count.queued -= (size_t)sent;
		client->since = now_seconds();
	}
	if (!waiting(client)) {
		lictor_line_reset(out);
		client->sent = 0;
		if (out->room > 2 * PIECE) { /* after a burst */
			lictor_line_done(out);
			*out = (struct lictor_line){ 0 };
		}
	}
	return true;
}

/* Next pieces of the answer, as long as they are taken. */
static void go_on(struct lictor_clients *clients, struct client *client)
{
	int more = 1;

	if (!send_waiting(clients, client))
		return;
	while (client->phase == ANSWERING && !waiting(client)) {
		while (more > 0 && client->out.length < PIECE)
			more = clients->answer(clients->context, &client->request, &client->cursor,
					       &client->out);
		if (more < 0 || client->out.failed) {
			drop(clients, client);
			return;
		}
		if (!more)
			client->phase = CLOSING;
		if (!send_waiting(clients, client))
			return;
	}
	if (client->phase == CLOSING && !waiting(client))
		release(clients, client);
	else
		poll_for(clients, client);
}

/* The word about a request that is not one goes before anything else that the client hears. */
static void refuse(struct lictor_clients *clients, struct client *client, const char *why)
{
	lictor_line_printf(&client->out, "{\"v\":%d,\"type\":\"error\",\"text\":", LICTOR_PROTOCOL);
	lictor_line_json(&client->out, why, strlen(why));
	lictor_line_text(&client->out, "}\n");
	clients->state.dropped++;
	client->phase = CLOSING;
	go_on(clients, client);
}

static void begin(struct lictor_clients *clients, struct client *client, size_t length)
{
	const char *why;

	if (lictor_request_parse(client->ask, length, &client->request, &why)) {
		refuse(clients, client, why);
		return;
	}
	shutdown(client->fd, SHUT_RD);
	client->phase = ANSWERING;
	if (client->request.ask == LICTOR_ASK_WATCH) {
		lictor_line_printf(&client->out, "{\"v\":%d,\"type\":\"watching\"}\n",
				   LICTOR_PROTOCOL);
		client->phase = WATCHING;
		clients->watchers[client->request.form]++;
		clients->count.queued += waiting(client);
	}
	go_on(clients, client);
}

static void listen_to(struct lictor_clients *clients, struct client *client)
{
	size_t room = sizeof(client->ask) - client->asked;
	ssize_t got = recv(client->fd, client->ask + client->asked, room, MSG_DONTWAIT);
	const char *newline;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		release(clients, client);
		return;
	}
	client->asked += (size_t)got;
	newline = memchr(client->ask, '\n', client->asked);
	if (newline && (size_t)(newline - client->ask) + 1 < client->asked)
		refuse(clients, client, "something follows the request");
	else if (newline)
		begin(clients, client, (size_t)(newline - client->ask));
	else if (client->asked == sizeof(client->ask))
		refuse(clients, client, "the request is too long");
}

/* ---- coming in ---- */

/* A free place; if there is none, that of whoever has been silent for longest. */
static struct client *place(struct lictor_clients *clients)
{
	struct client *oldest = NULL, *client;

	for (client = clients->client; client < clients->client + LICTOR_CONTROL_CLIENTS;
	     client++) {
		if (client->phase == FREE)
			return client;
		if (client->phase == ASKING && (!oldest || client->since < oldest->since))
			oldest = client;
	}
	if (oldest)
		drop(clients, oldest);
	return oldest;
}

int lictor_clients_add(struct lictor_clients *clients, int fd)
{
	struct client *client = place(clients);
	struct epoll_event event = { .events = EPOLLIN };

	if (!client) {
		clients->state.dropped++;
		close(fd);
		return -EBUSY;
	}
	event.data.u32 = (uint32_t)(client - clients->client);
	if (epoll_ctl(clients->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
		close(fd);
		return -errno;
	}
	*client = (struct client){ .fd = fd, .phase = ASKING, .since = now_seconds() };
	clients->state.clients++;
	clients->state.accepted++;
	return 0;
}

/* A few at a time: whoever keeps connecting does not keep us from the rings. */
static void accept_some(struct lictor_clients *clients)
{
	int fd, some = EVENTS_AT_ONCE;

	while (some--) {
		fd = accept4(clients->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		if (lictor_listen_allows(fd, clients->gid)) {
			lictor_clients_add(clients, fd);
		} else {
			clients->state.refused++;
			close(fd);
		}
	}
}

static void client_event(struct lictor_clients *clients, struct client *client, uint32_t events)
{
	if (client->phase == FREE)
		return;
	if (client->phase == ASKING && events & EPOLLIN)
		listen_to(clients, client);
	else if (events & (EPOLLERR | EPOLLHUP))
		release(clients, client);
	else if (events & EPOLLOUT)
		go_on(clients, client);
}

void lictor_clients_run(struct lictor_clients *clients)
{
	struct epoll_event event[EVENTS_AT_ONCE];
	int count = epoll_wait(clients->epoll, event, EVENTS_AT_ONCE, 0), i;

	for (i = 0; i < count; i++) {
		if (event[i].data.u32 == LISTENER)
			accept_some(clients);
		else
			client_event(clients, &clients->client[event[i].data.u32],
				     event[i].events);
	}
}

void lictor_clients_tick(struct lictor_clients *clients)
{
	time_t now = now_seconds();
	struct client *client;
	size_t i;

	for (i = 0; i < LICTOR_CONTROL_CLIENTS; i++) {
		client = &clients->client[i];
		if (client->phase == ASKING && now - client->since > LICTOR_CONTROL_ASK_SECONDS)
			drop(clients, client);
		else if (client->phase != FREE && waiting(client) &&
			 now - client->since > LICTOR_CONTROL_IDLE_SECONDS)
			drop(clients, client);
	}
}

/* ---- streams ---- */

static void enqueue(struct lictor_clients *clients, struct client *client, const char *line,
		    size_t length)
{
	struct lictor_line *out = &client->out;

	if (!waiting(client))
		client->since = now_seconds();
	if (client->sent > LICTOR_CONTROL_QUEUE / 2) {
		memmove(out->byte, out->byte + client->sent, waiting(client));
		out->length -= client->sent;
		client->sent = 0;
	}
	if (waiting(client) + length + 1 > LICTOR_CONTROL_QUEUE ||
	    clients->count.queued + length + 1 > LICTOR_CONTROL_QUEUES) {
		clients->count.lost++;
		drop(clients, client);
		return;
	}
	lictor_line_add(out, line, length);
	lictor_line_add(out, "\n", 1);
	if (out->failed) {
		drop(clients, client);
		return;
	}
	clients->count.written++;
	clients->count.queued += length + 1;
	if (send_waiting(clients, client))
		poll_for(clients, client);
}

void lictor_clients_publish(struct lictor_clients *clients, enum lictor_form form,
			    const char *line, size_t length)
{
	struct client *client;
	size_t i;

	for (i = 0; i < LICTOR_CONTROL_CLIENTS; i++) {
		client = &clients->client[i];
		if (client->phase == WATCHING && client->request.form == form)
			enqueue(clients, client, line, length);
	}
}

size_t lictor_clients_watchers(const struct lictor_clients *clients, enum lictor_form form)
{
	return clients->watchers[form];
}

void lictor_clients_count(const struct lictor_clients *clients, struct lictor_sink_count *ret_count)
{
	*ret_count = clients->count;
}

void lictor_clients_state(const struct lictor_clients *clients,
			  struct lictor_clients_state *ret_state)
{
	size_t form;

	*ret_state = clients->state;
	for (form = 0; form < LICTOR_FORMS; form++)
		ret_state->watchers += clients->watchers[form];
}

/* ---- lifetime ---- */

int lictor_clients_new(lictor_answer *answer, void *context, struct lictor_clients **ret_clients)
{
	struct lictor_clients *clients OWN(own_lictor_clients_close) = calloc(1, sizeof(*clients));
	size_t i;

	if (!clients)
		return -ENOMEM;
	for (i = 0; i < LICTOR_CONTROL_CLIENTS; i++)
		clients->client[i].fd = -1;
	clients->listener = -1;
	clients->gid = (gid_t)-1;
	clients->answer = answer;
	clients->context = context;
	clients->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (clients->epoll < 0)
		return -errno;
	*ret_clients = TAKE(clients);
	return 0;
}

int lictor_clients_open(const char *path, gid_t gid, lictor_answer *answer, void *context,
			struct lictor_clients **ret_clients)
{
	struct lictor_clients *clients OWN(own_lictor_clients_close) = NULL;
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = LISTENER };
	int error = lictor_clients_new(answer, context, &clients);

	if (!error)
		error = lictor_listen_open(path, gid, &clients->listener);
	if (error)
		return error;
	clients->gid = gid;
	clients->path = strdup(path);
	if (!clients->path)
		return -ENOMEM;
	if (epoll_ctl(clients->epoll, EPOLL_CTL_ADD, clients->listener, &event) < 0)
		return -errno;
	*ret_clients = TAKE(clients);
	return 0;
}

void lictor_clients_close(struct lictor_clients *clients)
{
	size_t i;

	for (i = 0; i < LICTOR_CONTROL_CLIENTS; i++)
		if (clients->client[i].phase != FREE)
			release(clients, &clients->client[i]);
	if (clients->path)
		unlink(clients->path);
	if (clients->listener >= 0)
		close(clients->listener);
	if (clients->epoll >= 0)
		close(clients->epoll);
	free(clients->path);
	free(clients);
}

int lictor_clients_fd(const struct lictor_clients *clients)
{
	return clients->epoll;
}
