/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket's protocol, and clients that mean no good. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
/* cmocka last of these: it needs them */
#include <cmocka.h>

#include "daemon/control.h"

/* Time that passes when a test says so. */
static time_t later;

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int error = (int)syscall(SYS_clock_gettime, clock, now);

	now->tv_sec += later;
	return error;
}

/* ---- requests ---- */

static int parse(const char *line, struct lictor_request *request)
{
	const char *why = NULL;
	int error = lictor_request_parse(line, strlen(line), request, &why);

	assert_true(!error == !why);
	return error;
}

static void requests(void **state)
{
	struct lictor_request request;

	(void)state;
	assert_int_equal(parse("{\"v\":1,\"request\":\"status\"}", &request), 0);
	assert_int_equal(request.ask, LICTOR_ASK_STATUS);
	assert_int_equal(parse(" { \"request\" : \"watch\" , \"format\":\"short\", \"v\" : 1 } ",
			       &request), 0);
	assert_int_equal(request.ask, LICTOR_ASK_WATCH);
	assert_int_equal(request.form, LICTOR_FORM_SHORT);
	assert_int_equal(parse("{\"v\":1,\"new\":\"a\\\"}\",\"n\":-1.5,\"b\":true,\"x\":null,"
			       "\"request\":\"rules\"}", &request), 0);
	assert_int_equal(request.ask, LICTOR_ASK_RULES);
	assert_int_equal(request.form, LICTOR_FORM_JSON);
}

static void not_requests(void **state)
{
	static const char *const line[] = {
		"", "{", "}", "{}", "[]", "status", "{\"v\":1}", "{\"request\":\"status\"}",
		"{\"v\":2,\"request\":\"status\"}", "{\"v\":\"1\",\"request\":\"status\"}",
		"{\"v\":1,\"request\":\"stop\"}", "{\"v\":1,\"request\":status}",
		"{\"v\":1,\"request\":\"status\"}}", "{\"v\":1,\"request\":\"status\",}",
		"{\"v\":1,\"request\":{\"a\":\"status\"}}", "{\"v\":1,\"request\":\"status\"",
		"{\"v\":1,\"request\":\"stat\\u0075s\"}",
		"{\"v\":1,\"request\":\"watch\",\"format\":\"x\"}",
		"{\"v\":1 \"request\":\"status\"}", "{\"v\":1,\"request\":\"status", "{\"\\", "\"",
		"{\"v\":1,\"request\":\"sta\ttus\"}", "{v:1,request:status}", "{\"v\":1,,}",
	};
	struct lictor_request request;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(line) / sizeof(line[0]); i++)
		if (parse(line[i], &request) != -EINVAL)
			fail_msg("taken: %s", line[i]);
}

/* Whatever is cut, changed or repeated: an answer, and no byte outside of the line (see SAN=1). */
static void mangled_requests(void **state)
{
	static const char good[] = "{\"v\":1,\"request\":\"watch\",\"format\":\"short\"}";
	struct lictor_request request;
	const char *why;
	size_t length, i, round;
	char *line;

	(void)state;
	srandom(1);
	for (round = 0; round < 200000; round++) {
		length = (size_t)random() % sizeof(good);
		line = malloc(length + 1);
		assert_non_null(line);
		memcpy(line, good, length);
		for (i = (size_t)random() % 4; length && i; i--)
			line[(size_t)random() % length] =
				"{}[]\",:\\\n\0 v1\xff"[(size_t)random() % 15];
		line = realloc(line, length ? length : 1);
		lictor_request_parse(line, length, &request, &why);
		free(line);
	}
}

/* ---- clients ---- */

static size_t asked;	/* how often an answer was asked for */
static size_t steps;	/* of an answer; the lines' length */
static size_t step_bytes;

static int answer(void *context, const struct lictor_request *request, struct lictor_cursor *cursor,
		  struct lictor_line *line)
{
	size_t i;

	(void)context;
	(void)request;
	asked++;
	if (request->ask == LICTOR_ASK_RELOAD)
		return -EIO;
	for (i = 0; i < step_bytes; i++)
		lictor_line_add(line, "x", 1);
	lictor_line_printf(line, "%zu\n", cursor->step);
	return ++cursor->step < steps;
}

static struct lictor_clients *clients;

static int set_up(void **state)
{
	(void)state;
	asked = 0;
	steps = 3;
	step_bytes = 0;
	return lictor_clients_new(answer, NULL, &clients);
}

static int tear_down(void **state)
{
	(void)state;
	lictor_clients_close(clients);
	return 0;
}

static int join(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(lictor_clients_add(clients, pair[0]), 0);
	return pair[1];
}

static void run(void)
{
	int i;

	for (i = 0; i < 20; i++)
		lictor_clients_run(clients);
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	run();
}

/* Everything that has come, as text; *ret_end: and the connection is closed. */
static const char *hear(int fd, bool *ret_end)
{
	static char text[1 << 20];
	size_t length = 0;
	ssize_t got;

	do {
		got = recv(fd, text + length, sizeof(text) - 1 - length, 0);
		length += got > 0 ? (size_t)got : 0;
		run();
	} while (got > 0);
	*ret_end = !got || errno == ECONNRESET;
	text[length] = '\0';
	return text;
}

static struct lictor_clients_state now(void)
{
	struct lictor_clients_state state;

	lictor_clients_state(clients, &state);
	return state;
}

static void answers(void **state)
{
	int fd = join();
	bool end;

	(void)state;
	say(fd, "{\"v\":1,\"req");
	assert_string_equal(hear(fd, &end), "");
	assert_false(end);
	say(fd, "uest\":\"status\"}\n");
	assert_string_equal(hear(fd, &end), "0\n1\n2\n");
	assert_true(end);
	assert_int_equal(now().clients, 0);
	assert_int_equal(now().dropped, 0);
	close(fd);
}

/* As `echo ... | socat` does: the client's half is closed, the answer comes all the same. */
static void half_closed(void **state)
{
	int fd = join();
	bool end;

	(void)state;
	assert_true(send(fd, "{\"v\":1,\"request\":\"status\"}\n", 27, 0) == 27);
	shutdown(fd, SHUT_WR);
	run();
	assert_string_equal(hear(fd, &end), "0\n1\n2\n");
	assert_true(end);
	close(fd);
}

static void mistaken(void **state)
{
	int fd = join();
	bool end;

	(void)state;
	say(fd, "{\"v\":1,\"request\":\"stauts\"}\n");
	assert_string_equal(hear(fd, &end),
			    "{\"v\":1,\"type\":\"error\",\"text\":\"unknown request\"}\n");
	assert_true(end);
	close(fd);
	fd = join();
	say(fd, "{\"v\":1,\"request\":\"status\"}\n{\"v\":1,\"request\":\"status\"}\n");
	assert_non_null(strstr(hear(fd, &end), "something follows"));
	assert_true(end);
	close(fd);
	fd = join();
	say(fd, "{\"v\":1,\"request\":\"reload\"}\n");
	assert_string_equal(hear(fd, &end), "");
	assert_true(end);
	assert_int_equal(asked, 1);
	assert_int_equal(now().clients, 0);
	close(fd);
}

/* A message without an end: 512 bytes of it are read. */
static void endless(void **state)
{
	static char junk[65536];
	int fd = join();
	size_t sent = 0;
	ssize_t part;
	bool end;

	(void)state;
	memset(junk, 'a', sizeof(junk));
	do {
		part = send(fd, junk, sizeof(junk), MSG_NOSIGNAL);
		sent += part > 0 ? (size_t)part : 0;
		run();
	} while (part > 0 && sent < 1u << 30);
	assert_true(part < 0 && errno != EAGAIN);
	assert_true(sent < 1u << 20);
	assert_non_null(strstr(hear(fd, &end), "too long"));
	assert_int_equal(now().clients, 0);
	assert_int_equal(now().dropped, 1);
	close(fd);
}

static void silent(void **state)
{
	int fd = join(), other;

	(void)state;
	later += LICTOR_CONTROL_ASK_SECONDS;
	lictor_clients_tick(clients);
	assert_int_equal(now().clients, 1);
	other = join();
	later += 2;
	lictor_clients_tick(clients);
	assert_int_equal(now().clients, 1);
	assert_int_equal(now().dropped, 1);
	close(fd);
	close(other);
}

/* More half-open clients than there are places: whoever asks is still heard. */
static void crowd(void **state)
{
	static int fd[3 * LICTOR_CONTROL_CLIENTS];
	size_t i;
	bool end;
	int one;

	(void)state;
	for (i = 0; i < 3 * LICTOR_CONTROL_CLIENTS; i++) {
		fd[i] = join();
		run();
	}
	assert_int_equal(now().clients, LICTOR_CONTROL_CLIENTS);
	one = join();
	say(one, "{\"v\":1,\"request\":\"status\"}\n");
	assert_string_equal(hear(one, &end), "0\n1\n2\n");
	for (i = 0; i < 3 * LICTOR_CONTROL_CLIENTS; i++)
		close(fd[i]);
	close(one);
	run();
	assert_int_equal(now().clients, 0);
	assert_int_equal(now().dropped, 2 * LICTOR_CONTROL_CLIENTS + 1);
}

/* Places full of those who are being answered: the next one is refused, nobody is thrown out. */
static void full(void **state)
{
	static int fd[LICTOR_CONTROL_CLIENTS];
	int pair[2];
	size_t i;

	(void)state;
	for (i = 0; i < LICTOR_CONTROL_CLIENTS; i++) {
		fd[i] = join();
		say(fd[i], "{\"v\":1,\"request\":\"watch\"}\n");
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(lictor_clients_add(clients, pair[0]), -EBUSY);
	assert_int_equal(now().watchers, LICTOR_CONTROL_CLIENTS);
	for (i = 0; i < LICTOR_CONTROL_CLIENTS; i++)
		close(fd[i]);
	close(pair[1]);
	run();
	assert_int_equal(now().watchers, 0);
}

/* A long answer that nobody takes is not made: a few pieces wait, until time is up. */
static void lazy(void **state)
{
	int fd = join();
	size_t before;

	(void)state;
	steps = 1000000;
	step_bytes = 1000;
	say(fd, "{\"v\":1,\"request\":\"rules\"}\n");
	assert_true(asked < 2000);
	before = asked;
	run();
	assert_int_equal(asked, before);
	later += LICTOR_CONTROL_IDLE_SECONDS + 1;
	lictor_clients_tick(clients);
	assert_int_equal(now().clients, 0);
	assert_int_equal(now().dropped, 1);
	close(fd);
}

static void long_answer(void **state)
{
	static char text[65536];
	int fd = join();
	size_t got = 0, want;
	ssize_t part;

	(void)state;
	steps = 5000;
	step_bytes = 1000;
	want = 5000 * 1001 + 10 + 90 * 2 + 900 * 3 + 4000 * 4;
	say(fd, "{\"v\":1,\"request\":\"rules\"}\n");
	while ((part = recv(fd, text, sizeof(text), 0)) > 0) {
		got += (size_t)part;
		run();
	}
	assert_int_equal(part, 0);
	assert_int_equal(got, want);
	close(fd);
}

static void watching(void **state)
{
	int json = join(), line = join();
	bool end;

	(void)state;
	say(json, "{\"v\":1,\"request\":\"watch\"}\n");
	say(line, "{\"v\":1,\"request\":\"watch\",\"format\":\"short\"}\n");
	assert_int_equal(lictor_clients_watchers(clients, LICTOR_FORM_JSON), 1);
	assert_int_equal(lictor_clients_watchers(clients, LICTOR_FORM_SHORT), 1);
	lictor_clients_publish(clients, LICTOR_FORM_JSON, "{}", 2);
	lictor_clients_publish(clients, LICTOR_FORM_SHORT, "a", 1);
	assert_string_equal(hear(json, &end), "{\"v\":1,\"type\":\"watching\"}\n{}\n");
	assert_false(end);
	assert_string_equal(hear(line, &end), "{\"v\":1,\"type\":\"watching\"}\na\n");
	close(json);
	run();
	assert_int_equal(lictor_clients_watchers(clients, LICTOR_FORM_JSON), 0);
	lictor_clients_publish(clients, LICTOR_FORM_JSON, "{}", 2);
	assert_int_equal(now().clients, 1);
	close(line);
}

/* Stopped by SIGSTOP, say: dropped when its queue is full, each line counted once. */
static void stuck(void **state)
{
	static char line[1000];
	struct lictor_sink_count count;
	int slow = join(), quick = join();
	uint64_t told = 0, heard = 0;
	const char *text;
	bool end;

	(void)state;
	memset(line, 'y', sizeof(line));
	say(slow, "{\"v\":1,\"request\":\"watch\"}\n");
	say(quick, "{\"v\":1,\"request\":\"watch\"}\n");
	while (now().clients == 2 && told < 100000) {
		lictor_clients_publish(clients, LICTOR_FORM_JSON, line, sizeof(line));
		told++;
		for (text = hear(quick, &end); (text = strchr(text, '\n')); text++)
			heard++;
		assert_false(end);
	}
	assert_true(told < 3000);
	assert_int_equal(heard, told + 1);
	assert_int_equal(now().dropped, 1);
	lictor_clients_count(clients, &count);
	assert_int_equal(count.written + count.lost, 2 * told);
	assert_true(count.lost > LICTOR_CONTROL_QUEUE / 1001 - 2);
	for (heard = 0, text = hear(slow, &end); (text = strchr(text, '\n')); text++)
		heard++;
	assert_true(end);
	assert_int_equal(heard - 1 + told, count.written);
	close(slow);
	close(quick);
}

static void a_line_that_is_too_long(void **state)
{
	static char line[LICTOR_CONTROL_QUEUE];
	struct lictor_sink_count count;
	int fd = join();

	(void)state;
	say(fd, "{\"v\":1,\"request\":\"watch\"}\n");
	lictor_clients_publish(clients, LICTOR_FORM_JSON, line, sizeof(line));
	assert_int_equal(now().clients, 0);
	lictor_clients_count(clients, &count);
	assert_int_equal(count.lost, 1);
	close(fd);
}

/* ---- the socket itself ---- */

static int dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void a_socket(void **state)
{
	struct lictor_clients *first = NULL, *second = NULL;
	char dir[] = "/tmp/lictor-control-XXXXXX", path[64];
	struct stat st;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	bool end;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/run/c.sock", dir);
	assert_int_equal(lictor_clients_open(path, (gid_t)-1, answer, NULL, &first), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(lictor_clients_open(path, (gid_t)-1, answer, NULL, &second), -EADDRINUSE);
	assert_null(second);
	fd = dial(path);
	assert_true(fd >= 0);
	clients = first;
	run();
	say(fd, "{\"v\":1,\"request\":\"status\"}\n");
	assert_string_equal(hear(fd, &end), "0\n1\n2\n");
	close(fd);
	lictor_clients_close(first);
	assert_true(dial(path) < 0);
	assert_true(access(path, F_OK) < 0);
	/* what a daemon that was killed leaves behind */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(lictor_clients_open(path, getgid(), answer, NULL, &second), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	lictor_clients_close(second);
	/* what is no socket is not taken away */
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_true(lictor_clients_open(path, (gid_t)-1, answer, NULL, &second) < 0);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	rmdir(dir);
}

#define CLIENT_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(not_requests),
		cmocka_unit_test(mangled_requests),
		CLIENT_TEST(answers),
		CLIENT_TEST(half_closed),
		CLIENT_TEST(mistaken),
		CLIENT_TEST(endless),
		CLIENT_TEST(silent),
		CLIENT_TEST(crowd),
		CLIENT_TEST(full),
		CLIENT_TEST(lazy),
		CLIENT_TEST(long_answer),
		CLIENT_TEST(watching),
		CLIENT_TEST(stuck),
		CLIENT_TEST(a_line_that_is_too_long),
		cmocka_unit_test(a_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
