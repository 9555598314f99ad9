/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the journal sink against a receiver of our own that reads its protocol strictly: every
 * field once, absent and stuck journals never waited for, large entries by sealed memory.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/output_sample.h"

#include "output/datagram.h"
#include "output/sink.h"

static char dir[64], path[96];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/lictor-journal-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	alarm(60);	/* who blocks, fails */
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	alarm(0);
	unlink(path);
	return rmdir(dir);
}

static int receiver(int room)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	strcpy(address.sun_path, path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (room)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	return fd;
}

static struct lictor_journal *open_journal(size_t queue)
{
	struct lictor_journal *journal = NULL;

	assert_int_equal(lictor_journal_open_at(path, queue, &journal), 0);
	return journal;
}

static struct lictor_sink_count count_of(const struct lictor_journal *journal)
{
	struct lictor_sink_count count;

	lictor_journal_count(journal, &count);
	return count;
}

/* ---- the protocol, read strictly ---- */

struct field {
	char name[65];
	const char *value;
	size_t length;
};

struct entry {
	char byte[1 << 19];
	size_t length;
	bool sealed;
	struct field field[64];
	size_t fields;
};

static void parse(struct entry *entry)
{
	const char *at = entry->byte, *end = entry->byte + entry->length;

	entry->fields = 0;
	while (at < end) {
		struct field *field = &entry->field[entry->fields];
		size_t name = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		uint64_t size;

		assert_in_range(name, 1, 64);
		assert_true(*at >= 'A' && *at <= 'Z');
		snprintf(field->name, sizeof(field->name), "%.*s", (int)name, at);
		for (size_t i = 0; i < entry->fields; i++)
			assert_string_not_equal(field->name, entry->field[i].name);
		at += name;
		if (*at == '=') {
			field->value = ++at;
			field->length = strcspn(at, "\n");
		} else {
			assert_int_equal(*at, '\n');
			assert_true(end - at > 9);
			memcpy(&size, at + 1, sizeof(size));
			field->length = le64toh(size);
			field->value = at + 9;
			assert_true(field->length < (size_t)(end - field->value));
		}
		at = field->value + field->length;
		assert_int_equal(*at, '\n');
		at++;
		entry->fields++;
	}
	assert_true(at == end);
}

static void read_sealed(int fd, struct entry *entry)
{
	int seals = fcntl(fd, F_GET_SEALS);

	assert_int_equal(seals, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	entry->length = (size_t)pread(fd, entry->byte, sizeof(entry->byte) - 1, 0);
	entry->sealed = true;
	close(fd);
}

/* Reads one entry; false if none is there. */
static bool receive(int fd, struct entry *entry)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { .iov_base = entry->byte, .iov_len = sizeof(entry->byte) - 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *head;
	int passed;

	if (got < 0) {
		assert_int_equal(errno, EAGAIN);
		return false;
	}
	entry->length = (size_t)got;
	entry->sealed = false;
	head = CMSG_FIRSTHDR(&message);
	if (head) {
		assert_int_equal(got, 0);
		assert_int_equal(head->cmsg_type, SCM_RIGHTS);
		memcpy(&passed, CMSG_DATA(head), sizeof(passed));
		read_sealed(passed, entry);
	}
	entry->byte[entry->length] = '\0';
	parse(entry);
	return true;
}

static void expect(const struct entry *entry, const char *name, const char *value)
{
	for (size_t i = 0; i < entry->fields; i++) {
		if (strcmp(entry->field[i].name, name))
			continue;
		assert_non_null(value);
		assert_int_equal(entry->field[i].length, strlen(value));
		assert_memory_equal(entry->field[i].value, value, strlen(value));
		return;
	}
	assert_null(value);
}

/* ---- tests ---- */

static struct entry entry;

static void test_decision(void **state)
{
	int fd = receiver(0);
	struct lictor_journal *journal = open_journal(4096);
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_RENAME, LICTOR_VERDICT_KILLED);

	(void)state;
	alert.text[LICTOR_FIELD_FILE_PATH] = sample_text("/tmp/a\nMESSAGE=forged");
	lictor_journal_write(journal, &alert);
	assert_true(receive(fd, &entry));
	expect(&entry, "PRIORITY", "3");
	expect(&entry, "SYSLOG_IDENTIFIER", "lictor");
	expect(&entry, "SYSLOG_FACILITY", "10");
	expect(&entry, "MESSAGE", "Killed for renaming of /tmp/a\\x0aMESSAGE=forged to /tmp/y.sh"
				  " by /usr/bin/dash (pid 4242, user www-data):"
				  " rule no-exec-from-tmp");
	expect(&entry, "LICTOR_RULE", "no-exec-from-tmp");
	expect(&entry, "LICTOR_VERDICT", "killed");
	expect(&entry, "LICTOR_EVENT", "rename");
	expect(&entry, "LICTOR_PATH", "/tmp/a\\x0aMESSAGE=forged");
	expect(&entry, "LICTOR_TARGET_PATH", "/tmp/y.sh");
	expect(&entry, "LICTOR_SEQUENCE", "18231");
	expect(&entry, "LICTOR_EXECUTABLE", "/usr/bin/dash");
	expect(&entry, "OBJECT_PID", "4242");
	expect(&entry, "UNIT", "nginx.service");
	expect(&entry, "OBJECT_SYSTEMD_UNIT", "nginx.service");
	expect(&entry, "LICTOR_DESTINATION", NULL);
	assert_false(receive(fd, &entry));
	assert_int_equal(count_of(journal).written, 1);
	lictor_journal_close(journal);
	close(fd);
}

static void message_id(int fd, struct lictor_journal *journal, const struct lictor_alert *alert,
		       char *ret_id)
{
	lictor_journal_write(journal, alert);
	assert_true(receive(fd, &entry));
	for (size_t i = 0; i < entry.fields; i++)
		if (!strcmp(entry.field[i].name, "MESSAGE_ID"))
			snprintf(ret_id, 33, "%.*s", (int)entry.field[i].length,
				 entry.field[i].value);
	assert_int_equal(strspn(ret_id, "0123456789abcdef"), 32);
}

/* Each kind has an id, and no two the same. */
/* Whatever else an event is about has a field of its own, by the name that rules have for it. */
static void test_events(void **state)
{
	int fd = receiver(0);
	struct lictor_journal *journal = open_journal(4096);
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_SIGNAL, LICTOR_VERDICT_BLOCKED);

	(void)state;
	lictor_journal_write(journal, &alert);
	assert_true(receive(fd, &entry));
	expect(&entry, "LICTOR_SIGNAL_NAME", "SIGKILL");
	expect(&entry, "LICTOR_TARGET_EXECUTABLE", "/usr/sbin/sshd");
	expect(&entry, "LICTOR_TARGET_PID", "811");
	expect(&entry, "LICTOR_TARGET_USER", "root");
	expect(&entry, "LICTOR_VIA", "lsm");
	expect(&entry, "LICTOR_HELD", NULL);
	expect(&entry, "LICTOR_MOUNT_SOURCE", NULL);
	expect(&entry, "LICTOR_PROCESS_HASH_SHA256",
	       "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9");
	expect(&entry, "LICTOR_UNCERTAIN", NULL);
	alert = sample_alert(LICTOR_EVENT_EXEC, LICTOR_VERDICT_BLOCKED);
	alert.file_hash_uncertain = alert.process_hash_uncertain = true;
	lictor_journal_write(journal, &alert);
	assert_true(receive(fd, &entry));
	expect(&entry, "LICTOR_FILE_HASH_SHA256",
	       "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae");
	expect(&entry, "LICTOR_UNCERTAIN", "file.hash.sha256,process.hash.sha256");
	alert = sample_alert(LICTOR_EVENT_CAPSET, LICTOR_VERDICT_BLOCKED);
	alert.flags = LICTOR_RECORD_HELD | LICTOR_RECORD_PREEXISTING;
	lictor_journal_write(journal, &alert);
	assert_true(receive(fd, &entry));
	expect(&entry, "LICTOR_CAPABILITY_RAISED", "CAP_CHOWN,CAP_CHECKPOINT_RESTORE,63");
	expect(&entry, "LICTOR_HELD", "true");
	expect(&entry, "LICTOR_PREEXISTING", "true");
	expect(&entry, "LICTOR_RECEIVED", NULL);
	alert = sample_alert(LICTOR_EVENT_ACCEPT, LICTOR_VERDICT_BLOCKED);
	lictor_journal_write(journal, &alert);
	assert_true(receive(fd, &entry));
	expect(&entry, "LICTOR_DESTINATION", "203.0.113.9:4444/tcp");
	expect(&entry, "LICTOR_SOURCE", "2001:db8::7 port 8080/tcp");
	lictor_journal_close(journal);
	close(fd);
}

static void test_message_ids(void **state)
{
	char id[LICTOR_VERDICTS + LICTOR_NOTICES][33] = {};
	int fd = receiver(0);
	struct lictor_journal *journal = open_journal(4096);
	size_t ids = 0;

	(void)state;
	for (unsigned verdict = 0; verdict < LICTOR_VERDICTS; verdict++) {
		struct lictor_alert alert = sample_alert(LICTOR_EVENT_EXEC, verdict);

		message_id(fd, journal, &alert, id[ids++]);
	}
	for (unsigned notice = 1; notice < LICTOR_NOTICES; notice++) {
		struct lictor_alert alert = { .notice = notice };

		message_id(fd, journal, &alert, id[ids++]);
		expect(&entry, "LICTOR_VERDICT", NULL);
		expect(&entry, "OBJECT_PID", NULL);
	}
	for (size_t i = 0; i < ids; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(id[i], id[j]);
	lictor_journal_close(journal);
	close(fd);
}

static void test_counters(void **state)
{
	static const struct lictor_counter counter[] = {
		{ "events", 12 }, { "lost.log-\xff", UINT64_MAX },
		{ "a-name-that-is-much-longer-than-the-sixty-four-characters-of-a-field", 1 },
	};
	struct lictor_alert alert = { .notice = LICTOR_NOTICE_HEARTBEAT, .counters = 3,
				      .counter = counter };
	int fd = receiver(0);
	struct lictor_journal *journal = open_journal(4096);

	(void)state;
	lictor_journal_write(journal, &alert);
	assert_true(receive(fd, &entry));
	expect(&entry, "LICTOR_EVENT", "lictor.heartbeat");
	expect(&entry, "LICTOR_COUNT_EVENTS", "12");
	expect(&entry, "LICTOR_COUNT_LOST_LOG__", "18446744073709551615");
	expect(&entry, "PRIORITY", "6");
	lictor_journal_close(journal);
	close(fd);
}

static void test_newline_form(void **state)
{
	struct lictor_line line = {};

	(void)state;
	lictor_datagram_field(&line, "A", "x\n\ny", 4);
	lictor_datagram_field(&line, "B", "", 0);
	assert_int_equal(line.length, 2 + 8 + 4 + 1 + 3);
	assert_memory_equal(line.byte, "A\n\4\0\0\0\0\0\0\0x\n\ny\nB=\n", line.length);
	lictor_line_done(&line);
}

/* No journal: what fits waits, what does not is counted; then one comes. */
static void test_absent(void **state)
{
	struct lictor_journal *journal = open_journal(16384);
	struct lictor_sink_count count;
	uint64_t received = 0;
	int fd;

	(void)state;
	for (unsigned i = 1; i <= 100; i++) {
		struct lictor_alert alert = sample_alert(LICTOR_EVENT_EXEC, LICTOR_VERDICT_BLOCKED);

		alert.sequence = i;
		lictor_journal_write(journal, &alert);
	}
	count = count_of(journal);
	assert_int_equal(count.written, 0);
	assert_int_equal(count.error, ENOENT);
	assert_in_range(count.lost, 50, 99);
	assert_in_range(count.queued, 8000, 16384);
	close(receiver(0));	/* a socket that nobody reads any more */
	lictor_journal_tick(journal);
	assert_int_equal(count_of(journal).error, ECONNREFUSED);
	fd = receiver(0);
	for (int i = 0; i < 1000; i++) {
		char sequence[16];

		lictor_journal_tick(journal);
		if (!receive(fd, &entry))
			break;
		snprintf(sequence, sizeof(sequence), "%d", i + 1);
		expect(&entry, "LICTOR_SEQUENCE", sequence);
		received++;
	}
	assert_int_equal(received + count.lost, 100);
	assert_int_equal(count_of(journal).written, received);
	assert_int_equal(count_of(journal).queued, 0);
	assert_int_equal(count_of(journal).error, 0);
	lictor_journal_close(journal);
	close(fd);
}

/* A journal that does not read: alarm() ends us if anything waits. */
static void test_stuck(void **state)
{
	int fd = receiver(0);
	struct lictor_journal *journal = open_journal(65536);
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_EXEC, LICTOR_VERDICT_BLOCKED);
	uint64_t received = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		alert.sequence = i;
		lictor_journal_write(journal, &alert);
		lictor_journal_tick(journal);
	}
	assert_int_equal(count_of(journal).error, EAGAIN);
	assert_true(count_of(journal).lost > 0);
	while (receive(fd, &entry)) {
		received++;
		lictor_journal_tick(journal);
	}
	assert_int_equal(received + count_of(journal).lost, 20000);
	assert_int_equal(received, count_of(journal).written);
	lictor_journal_close(journal);
	close(fd);
}

/* Too large for a datagram: in sealed memory, whole. */
static void test_large(void **state)
{
	struct lictor_alert alert = { .notice = LICTOR_NOTICE_RULES_REJECTED };
	size_t size = 300000;
	int fd = receiver(0), room = 1;
	char *detail = malloc(size + 1), *text;
	struct lictor_journal *journal = open_journal(1 << 20);
	struct lictor_line message = {};

	(void)state;
	memset(detail, 'x', size);
	detail[size] = '\0';
	alert.detail = detail;
	/* the room that a process without privileges gets: too little for this entry */
	for (int i = 3; i < 64; i++)
		setsockopt(i, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	lictor_journal_write(journal, &alert);
	assert_int_equal(count_of(journal).error, 0);
	assert_true(receive(fd, &entry));
	assert_true(entry.sealed);
	lictor_format_message(&alert, &message);
	text = message.byte;
	expect(&entry, "MESSAGE", text);
	lictor_line_done(&message);
	lictor_journal_close(journal);
	free(detail);
	close(fd);
}

static void test_hostile(void **state)
{
	int fd = receiver(0);
	struct lictor_journal *journal = open_journal(4096);
	uint64_t seed = 77;
	char bytes[200];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct lictor_alert alert = sample_alert(LICTOR_EVENT_LINK, LICTOR_VERDICT_BLOCKED);

		random_bytes(&seed, bytes, sizeof(bytes));
		for (unsigned field = 1; field < LICTOR_FIELDS; field++)
			alert.text[field] = (struct lictor_bytes){ bytes + field, field, false };
		lictor_journal_write(journal, &alert);
		assert_true(receive(fd, &entry));
		for (size_t j = 0; j < entry.length; j++)
			assert_true(entry.byte[j] == '\n' || (unsigned char)entry.byte[j] >= 0x20);
		assert_true(entry.fields <= 40);
	}
	lictor_journal_close(journal);
	close(fd);
}

static void test_long_path(void **state)
{
	struct lictor_journal *journal = NULL;
	char name[200];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(lictor_journal_open_at(name, 1, &journal), -ENAMETOOLONG);
	assert_null(journal);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_decision), TEST(test_events), TEST(test_message_ids), TEST(test_counters),
		TEST(test_absent), TEST(test_stuck), TEST(test_large), TEST(test_hostile),
		cmocka_unit_test(test_newline_form), cmocka_unit_test(test_long_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
