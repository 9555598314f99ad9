// SPDX-License-Identifier: Apache-2.0
/*
 * The programs of an InterSystems IRIS instance, as far as their processes, look-ups, files and
 * sockets go: one program installed under their names (iris, irisstop, irisdb, iriswdimj, httpd).
 * exec.tsv says who starts whom with which arguments, stat.tsv what each looks up; the writes are
 * those that they imply. IRIS_PID is the pid that exec.tsv gives this process or its parent.
 * `run`, `connect`, `sendto` and `write` as first argument are what an intruder makes of them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HERE "/srv/iris/"
#define DATA "/data/IRIS/"
#define JOURNAL DATA "mgr/journal/20240908."
#define IRISOWNER 1003

struct row {
	char comm[32];
	int pid, parent;
	char args[512];
};

static struct row rows[128];
static size_t row_count;
static char mine[512];	/* the arguments, joined by spaces */

static void __attribute__((noreturn)) fail(const char *what)
{
	int error = errno;

	fprintf(stderr, "%s: %s: %s\n", mine, what, strerror(error));
	exit(error ? error : 1);
}

static bool is(const char *word)
{
	return strstr(mine, word) != NULL;
}

/* ---- what the instance does to its files ---- */

static void copy(const char *from, const char *to, int flags)
{
	char data[4096];
	ssize_t n;
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0660);

	if (in < 0)
		fail(from);
	if (out < 0)
		fail(to);
	while ((n = read(in, data, sizeof(data))) > 0) {
		if (write(out, data, (size_t)n) != n)
			fail(to);
	}
	close(in);
	close(out);
}

static void append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0660);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 || fsync(fd))
		fail(path);
	close(fd);
}

static void must(int result, const char *what)
{
	if (result)
		fail(what);
}

/* The configuration in force becomes the last good one. */
static void configure(void)
{
	if (access(DATA "_LastGood_.cpf", F_OK) == 0)
		must(rename(DATA "_LastGood_.cpf", DATA "_LastGood_.cpf_20240908"), "set aside _LastGood_.cpf");
	copy(DATA "iris.cpf", DATA "_LastGood_.cpf_5275", O_EXCL);
	must(chmod(DATA "_LastGood_.cpf_5275", 0660), "chmod");
	must(rename(DATA "_LastGood_.cpf_5275", DATA "_LastGood_.cpf"), "rename _LastGood_.cpf_5275");
	if (unlink(DATA "_LastGood_.cpf_20240908") && errno != ENOENT)
		fail("_LastGood_.cpf_20240908");
}

static void start_up(void)
{
	append(DATA "mgr/iris.use", "in use\n");
	append(DATA "mgr/IRIS.WIJ", "start\n");
	append(DATA "mgr/messages.log", "start\n");
	append(JOURNAL "003", "journal\n");
}

static void zip(void)
{
	static const char *const numbers[] = { "001", "002" };

	for (size_t i = 0; i < 2; i++) {
		char from[64], to[64];

		snprintf(from, sizeof(from), JOURNAL "%s", numbers[i]);
		snprintf(to, sizeof(to), JOURNAL "%sz", numbers[i]);
		copy(from, to, O_TRUNC);
		must(unlink(from), from);
	}
}

static void wij(void)
{
	int fd = open(DATA "mgr/IRIS.WIJ", (is("-j") ? O_RDWR : O_RDONLY) | O_CLOEXEC);

	if (fd < 0 || (is("-j") && ftruncate(fd, 0)))
		fail("IRIS.WIJ");
	close(fd);
}

static int give(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return lchown(path, IRISOWNER, IRISOWNER);
}

/* ---- the network ---- */

static int connected(const char *host, int port, int type)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, host, &to.sin_addr);
	for (int i = 0; i < 200; i++) {		/* it may still be starting */
		if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
			return fd;
		if (errno != ECONNREFUSED)
			fail("connect");
		usleep(50000);
	}
	fail("connect");
}

static int listening(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 16))
		fail("listen");
	return fd;
}

/* Answers one connection with what the superserver says to it, or with a line of its own. */
static void serve(int port, int superserver)
{
	char text[64] = "IRIS\n";
	int fd = listening(port), peer, from;

	peer = accept(fd, NULL, NULL);
	if (peer < 0 || read(peer, text + 8, 32) < 0)
		fail("accept");
	if (superserver) {
		from = connected("127.0.0.1", superserver, SOCK_STREAM);
		must(write(from, "GET\n", 4) != 4, "ask the superserver");
		must(read(from, text, sizeof(text)) < 1, "the superserver's answer");
		close(from);
	}
	must(write(peer, text, 5) != 5, "answer");
	close(peer);
}

/* The web server's parent stays, its child serves. */
static void httpd(void)
{
	int status;
	pid_t child = fork();

	if (!child) {
		serve(52773, 1972);
		exit(0);
	}
	waitpid(child, &status, 0);
	if (status)
		exit(1);
}

static void ask_web_server(void)
{
	char text[8] = "";
	int fd = connected("127.0.0.1", 52773, SOCK_STREAM);

	must(write(fd, "GET\n", 4) != 4, "ask the web server");
	must(read(fd, text, 5) != 5 || strcmp(text, "IRIS\n"), "the web server's answer");
}

/* ---- who starts whom, and who looks at what ---- */

static void read_rows(void)
{
	FILE *file = fopen(HERE "exec.tsv", "re");
	char line[1024];

	if (!file)
		fail(HERE "exec.tsv");
	while (row_count < 128 && fgets(line, sizeof(line), file)) {
		struct row *row = &rows[row_count];

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%31[^\t]\t%d\t%d\t%511[^\n]", row->comm, &row->pid, &row->parent,
			   row->args) == 4)
			row_count++;
	}
	fclose(file);
}

static const struct row *my_row(void)
{
	const char *text = getenv("IRIS_PID");
	int pid = text ? atoi(text) : rows[0].pid;

	for (size_t i = 0; i < row_count; i++) {
		if ((rows[i].pid == pid || rows[i].parent == pid) && !strcmp(rows[i].args, mine))
			return &rows[i];
	}
	errno = ENOENT;
	fail("no such process in exec.tsv");
}

static void trace(const struct row *row)
{
	char line[640];

	snprintf(line, sizeof(line), "%s\t%s\n", row->comm, row->args);
	append(HERE "trace", line);
}

static void look_up(const char *comm)
{
	FILE *file = fopen(HERE "stat.tsv", "re");
	char line[1024], name[32], path[512];
	struct stat st;

	if (!file)
		fail(HERE "stat.tsv");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*d\t%31[^\t]\t%*d\t%*d\t%511[^\n]", name, path) == 2 && !strcmp(name, comm))
			(void)!stat(path, &st);
	}
	fclose(file);
}

/* Splits a row's arguments: the last of `sh -c -- COMMAND` and `httpd -c DIRECTIVE` has spaces. */
static void start(const struct row *row)
{
	static char text[512];
	char *words[32], number[16];
	int count = 0;

	strcpy(text, row->args);
	for (char *at = text; at && count < 31;) {
		char *space = strchr(at, ' ');

		words[count++] = at;
		if (space && count > 1 && (!strncmp(at, "-- ", 3) || !strncmp(at, "-c Listen", 9))) {
			*space = '\0';
			words[count++] = space + 1;
			break;
		}
		at = space;
		if (space)
			*at++ = '\0';
	}
	words[count] = NULL;
	snprintf(number, sizeof(number), "%d", row->pid);
	setenv("IRIS_PID", number, 1);
	execv(words[0], words);
	fail(words[0]);
}

static int start_children(const struct row *me)
{
	int status, bad = 0;

	for (size_t i = 0; i < row_count; i++) {
		bool background = strstr(rows[i].args, " -cj ") || !strcmp(rows[i].comm, "httpd");
		pid_t child;

		if (&rows[i] > me && rows[i].pid == me->pid)
			start(&rows[i]);
		if (rows[i].parent != me->pid || rows[i].pid == me->pid)
			continue;
		child = fork();
		if (!child)
			start(&rows[i]);
		if (!background && (waitpid(child, &status, 0) != child || status)) {
			fprintf(stderr, "%s: status %#x\n", rows[i].args, status);
			bad = 1;
		}
	}
	while (wait(&status) > 0)
		bad |= status != 0;
	return bad;
}

static void work(const char *comm)
{
	if (is("-cc "))
		configure();
	if (is("QUIET^STU"))
		start_up();
	if (is("OPT^SHUTDOWN") || is("CLONE^STU"))
		append(DATA "mgr/IRIS.WIJ", "flush\n");
	if (is("OPT^SHUTDOWN"))
		append(JOURNAL "002", "end\n");
	if (is("SCAN^JRNZIP"))
		zip();
	if (!strcmp(comm, "iriswdimj"))
		wij();
	if (is("Master^%SYS.SERVER"))
		serve(1972, 0);
	if (!strcmp(comm, "httpd"))
		httpd();
	if (is("Start^%SYS.Monitor.Control"))
		ask_web_server();
}

/* ---- an intruder in the process ---- */

static int intrude(char **arg)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int status, fd;
	pid_t child;

	if (!strcmp(arg[0], "connect") || !strcmp(arg[0], "sendto")) {
		inet_pton(AF_INET, arg[1], &to.sin_addr);
		to.sin_port = htons((uint16_t)atoi(arg[2]));
		fd = socket(AF_INET, arg[0][0] == 'c' ? SOCK_STREAM | SOCK_NONBLOCK : SOCK_DGRAM, 0);
		if (arg[0][0] == 'c' ? connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS
				     : sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			fail(arg[0]);
		return 0;
	}
	if (!strcmp(arg[0], "write")) {
		append(arg[1], "x\n");
		return 0;
	}
	if (!strcmp(arg[0], "exec")) {
		execv(arg[1], arg + 1);
		fail(arg[1]);
	}
	child = fork();		/* run */
	if (!child) {
		execv(arg[1], arg + 1);
		fail(arg[1]);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	static const char *const verbs[] = { "connect", "sendto", "write", "run", "exec" };
	const struct row *me;

	for (int i = 0; i < argc; i++)
		snprintf(mine + strlen(mine), sizeof(mine) - strlen(mine), "%s%s", i ? " " : "", argv[i]);
	if (strstr(argv[0], "irisinstall"))
		return nftw(DATA, give, 16, FTW_PHYS) != 0;
	for (size_t i = 0; argc > 2 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (!strcmp(argv[1], verbs[i]))
			return intrude(argv + 1);
	}
	if (chdir("/usr/irissys/bin"))
		fail("/usr/irissys/bin");
	read_rows();
	me = my_row();
	trace(me);
	look_up(me->comm);
	work(me->comm);
	return start_children(me);
}
