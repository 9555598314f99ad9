/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sinks: the journal. Alerts come in and are formatted at once; entries go out as datagrams that
 * are sent without ever waiting: sd_journal_sendv(3) blocks while the journal does not read, and
 * the journal may be waiting for us. What cannot be sent now waits in a bounded queue. Touches the
 * journal's socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "output/datagram.h"
#include "output/queue.h"
#include "output/sink.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SEND_ROOM (8 << 20)

struct lictor_journal {
	int fd;
	struct sockaddr_un address;
	struct lictor_queue queue;
	struct lictor_line line;
	struct lictor_sink_count count;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static void journal_free(struct lictor_journal **journal)
{
	if (!*journal)
		return;
	close_fd(&(*journal)->fd);
	lictor_queue_done(&(*journal)->queue);
	lictor_line_done(&(*journal)->line);
	free(*journal);
}

static int send_message(struct lictor_journal *journal, struct msghdr *message)
{
	ssize_t sent;

	message->msg_name = &journal->address;
	message->msg_namelen = sizeof(journal->address);
	do
		sent = sendmsg(journal->fd, message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return 0;
}

/* What is too large for a datagram goes in sealed memory, whose descriptor is all that is sent. */
static int send_sealed(struct lictor_journal *journal, const char *bytes, size_t length)
{
	__attribute__((cleanup(close_fd))) int fd =
		memfd_create("lictor-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control) };
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, bytes, length);
	if (r)
		return r;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
		return -errno;
	control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
					 .cmsg_level = SOL_SOCKET,
					 .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	return send_message(journal, &message);
}

static int send_entry(struct lictor_journal *journal, const char *bytes, size_t length)
{
	char *byte = (char *)(uintptr_t)bytes;	/* sendmsg(2) does not write to it */
	struct iovec part = { .iov_base = byte, .iov_len = length };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	int r = send_message(journal, &message);

	if (r == -EMSGSIZE || r == -ENOBUFS)
		r = send_sealed(journal, bytes, length);
	journal->count.error = -r;
	if (r)
		journal->count.errors++;
	else
		journal->count.written++;
	return r;
}

void lictor_journal_tick(struct lictor_journal *journal)
{
	struct lictor_queued first;

	while ((first = lictor_queue_first(&journal->queue)).byte) {
		if (send_entry(journal, first.byte, first.length))
			return;
		lictor_queue_pop(&journal->queue);
	}
}

void lictor_journal_write(struct lictor_journal *journal, const struct lictor_alert *alert)
{
	struct lictor_line *line = &journal->line;

	lictor_line_reset(line);
	lictor_datagram_format(alert, line);
	if (line->failed) {
		journal->count.error = ENOMEM;
		journal->count.errors++;
		journal->count.lost++;
		return;
	}
	lictor_journal_tick(journal);
	if (!journal->queue.records && !send_entry(journal, line->byte, line->length))
		return;
	if (!lictor_queue_push(&journal->queue, line->byte, line->length, alert->sequence))
		journal->count.lost++;
}

int lictor_journal_open_at(const char *path, size_t queue_bytes,
			   struct lictor_journal **ret_journal)
{
	__attribute__((cleanup(journal_free))) struct lictor_journal *journal =
		calloc(1, sizeof(*journal));
	const int room = SEND_ROOM;

	if (!journal)
		return -ENOMEM;
	journal->fd = -1;
	journal->queue.room = queue_bytes;
	journal->address.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(journal->address.sun_path))
		return -ENAMETOOLONG;
	strcpy(journal->address.sun_path, path);
	journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (journal->fd < 0)
		return -errno;
	/* Only a wish: without it fewer datagrams are on their way at once. */
	setsockopt(journal->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	*ret_journal = journal;
	journal = NULL;
	return 0;
}

int lictor_journal_open(size_t queue_bytes, struct lictor_journal **ret_journal)
{
	return lictor_journal_open_at(JOURNAL_SOCKET, queue_bytes, ret_journal);
}

void lictor_journal_close(struct lictor_journal *journal)
{
	if (!journal)
		return;
	lictor_journal_tick(journal);
	journal_free(&journal);
}

void lictor_journal_count(const struct lictor_journal *journal,
			  struct lictor_sink_count *ret_count)
{
	*ret_count = journal->count;
	ret_count->queued = journal->queue.bytes;
}
