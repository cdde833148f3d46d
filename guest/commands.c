#define _GNU_SOURCE

#include "commands.h"

#include "disk.h"
#include "io.h"
#include "jobs.h"
#include "line.h"
#include "output.h"
#include "peers.h"
#include "request.h"
#include "spawn.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

#define KMSG_RECORD_MAX 8192
#define SECOND_NS 1000000000ull

/* The kernel's random name of this boot (/proc/sys/kernel/random/boot_id); "-" without it. */
static const char *boot_id(void)
{
	static char id[64];

	if (id[0] == '\0') {
		int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read_some(fd, id, sizeof(id) - 1);

		if (fd >= 0)
			close(fd);
		while (n > 0 && id[n - 1] == '\n')
			n--;
		if (n <= 0)
			id[0] = '-', n = 1;
		id[n] = '\0';
	}
	return id;
}

static void put_identity(struct line *l)
{
	struct utsname u;

	uname(&u);
	kv(l, "version", VERSION);
	kv_u64(l, "proto", PROTOCOL);
	kv(l, "kernel", u.release);
	kv(l, "arch", u.machine);
	kv(l, "boot", boot_id());
	kv_i64(l, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	kv_u64(l, "pid1", agent.is_init);
}

void send_ready(void)
{
	struct line l;

	event_begin(&l, "ready");
	put_identity(&l);
	line_send(&l);
}

static void agent_hello(const struct request *r)
{
	struct line l;

	ok_begin(&l, r->id);
	put_identity(&l);
	line_send(&l);
	send_ready();
}

static void agent_kill(const struct request *r)
{
	struct peer *peer = find_subject(arg_text(r, "proc", ""));
	int signo = parse_signal(arg_text(r, "signal", "SIGKILL"));

	if (peer == NULL) {
		send_error(r->id, ESRCH, "no such subject", arg_text(r, "proc", ""));
		return;
	}
	if (signo == 0) {
		send_error(r->id, EINVAL, "signal must be a name (SIGTERM) or a number", NULL);
		return;
	}
	if (kill(peer->pid, signo) != 0)
		send_error(r->id, errno, "kill", peer->name);
	else
		send_ok(r->id);
}

/* One letter of /proc/<pid>/stat (R S D T Z), or ?. */
static char process_state(pid_t pid)
{
	char buf[128];
	struct line path;
	char *end;
	int fd;

	path.n = 0;
	put(&path, "/proc/");
	put_i64(&path, pid);
	put(&path, "/stat");
	fd = open(line_text(&path), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return '?';
	ssize_t n = read_some(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return '?';
	buf[n] = '\0';
	end = strrchr(buf, ')');
	return end != NULL && end[1] == ' ' && end[2] != '\0' ? end[2] : '?';
}

static void agent_ps(const struct request *r)
{
	uint64_t count = 0;
	struct line l;

	for (size_t i = 0; i < PEERS_MAX; i++) {
		const struct peer *p = &peers[i];
		char state[2] = {0, 0};
		uint64_t maps = 0;

		if (p->pid == 0 || p->shared == NULL)
			continue;
		for (size_t m = 0; m < MAPS_MAX; m++)
			maps += p->shared->maps[m].bytes != 0;
		state[0] = process_state(p->pid);
		l.n = 0;
		put(&l, "proc=");
		put(&l, p->name);
		kv_i64(&l, "pid", p->pid);
		kv(&l, "state", state);
		kv_u64(&l, "spinning", p->shared->spinning != 0);
		kv_u64(&l, "iterations", p->shared->iterations);
		kv_u64(&l, "maps", maps);
		send_data(r->id, l.b, l.n);
		count++;
	}
	ok_begin(&l, r->id);
	kv_u64(&l, "count", count);
	line_send(&l);
}

static void agent_kmsg(const struct request *r)
{
	static char record[KMSG_RECORD_MAX];
	uint64_t max, lines = 0, lost = 0;
	bool more = false;
	struct line l;

	if (!arg_u64(r, "max", 256, 1, 100000, &max)) {
		send_error(r->id, EINVAL, "max is 1 to 100000", NULL);
		return;
	}
	if (agent.kmsg_fd < 0)
		agent.kmsg_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (agent.kmsg_fd < 0) {
		send_error(r->id, errno, "open", "/dev/kmsg");
		return;
	}
	/* What does not fit into the output now stays in the kernel's buffer for the next call. */
	for (;;) {
		if (lines == max || out_room() < OUT_RESERVE) {
			struct pollfd p = {.fd = agent.kmsg_fd, .events = POLLIN, .revents = 0};

			more = poll(&p, 1, 0) == 1;
			break;
		}
		ssize_t n = read_some(agent.kmsg_fd, record, sizeof(record));
		if (n < 0 && errno == EPIPE) {
			lost++; /* records were overwritten before they were read; the next read goes on behind them */
			continue;
		}
		if (n <= 0)
			break;
		/* The record ends with LF; lines after the first are its dictionary, indented by a blank. */
		size_t len = (size_t)n, first;
		char *lf = memchr(record, '\n', len);

		first = lf == NULL ? len : (size_t)(lf - record);
		send_data(r->id, record, first);
		lines++;
	}
	ok_begin(&l, r->id);
	kv_u64(&l, "lines", lines);
	kv_u64(&l, "more", more);
	kv_u64(&l, "lost", lost);
	line_send(&l);
}

static void agent_reboot(const struct request *r)
{
	const char *how = arg_text(r, "how", "poweroff");
	uint64_t deadline = now_ns() + SECOND_NS;
	int action;

	if (strcmp(how, "poweroff") == 0) {
		action = RB_POWER_OFF;
	} else if (strcmp(how, "restart") == 0) {
		action = RB_AUTOBOOT;
	} else if (strcmp(how, "halt") == 0) {
		action = (int)RB_HALT_SYSTEM;
	} else {
		send_error(r->id, EINVAL, "how is poweroff, restart or halt", NULL);
		return;
	}
	if (!agent.is_init) {
		send_error(r->id, EPERM, "this agent is not PID 1 and will not stop the machine", NULL);
		return;
	}
	send_ok(r->id);
	for (out_flush(); out_waiting() && now_ns() < deadline; out_flush()) {
		struct pollfd p = {.fd = agent.port_fd, .events = POLLOUT, .revents = 0};

		(void)poll(&p, 1, 100);
	}
	for (int waiting = 1; now_ns() < deadline && ioctl(agent.port_fd, TIOCOUTQ, &waiting) == 0 && waiting > 0;)
		(void)poll(NULL, 0, 5);
	reboot(action);
	send_error(r->id, errno, "reboot", how);
}

/* ---- commands ------------------------------------------------------------------------------------------------- */

#define TIMEOUT " timeout-ms"

enum where { IN_AGENT, IN_JOB, IN_SUBJECT };

/* Every command with the arguments it knows. run is set for IN_AGENT and IN_JOB. */
static const struct command {
	const char *name;
	enum where where;
	const char *keys;
	void (*run)(const struct request *);
} commands[] = {
	{"hello", IN_AGENT, "", agent_hello},
	{"spawn", IN_AGENT, "name kill", agent_spawn},
	{"exec", IN_AGENT, "name argv output", agent_exec},
	{"kill", IN_AGENT, "proc signal", agent_kill},
	{"ps", IN_AGENT, "", agent_ps},
	{"kmsg", IN_AGENT, "max", agent_kmsg},
	{"reboot", IN_AGENT, "how", agent_reboot},
	{"read", IN_JOB, "path max offset" TIMEOUT, job_read},
	{"copy", IN_JOB, "from to bytes" TIMEOUT, job_copy},
	{"write", IN_JOB, "path value offset" TIMEOUT, job_write},
	{"follow", IN_JOB, "path" TIMEOUT, job_follow},
	{"register", IN_JOB, "path offset value how" TIMEOUT, job_register},
	{"hwpoison", IN_JOB, "pfn undo" TIMEOUT, job_hwpoison},
	{"insmod", IN_JOB, "path params" TIMEOUT, job_insmod},
	{"check-interval", IN_JOB, "seconds" TIMEOUT, job_check_interval},
	{"sync", IN_JOB, "" TIMEOUT, job_sync},
	{"disk", IN_JOB, "" TIMEOUT, job_disk},
	{"translate", IN_JOB, "proc virt id page offset at" TIMEOUT, NULL},
	{"map", IN_SUBJECT, "proc id pages size kind kill fill node lock" TIMEOUT, NULL},
	{"unmap", IN_SUBJECT, "proc id" TIMEOUT, NULL},
	{"touch", IN_SUBJECT, "proc id page offset at write" TIMEOUT, NULL},
	{"verify", IN_SUBJECT, "proc id" TIMEOUT, NULL},
	{"spin", IN_SUBJECT, "proc id page offset at cpu" TIMEOUT, NULL},
	{"stop", IN_SUBJECT, "proc" TIMEOUT, NULL},
	{"on-signal", IN_SUBJECT, "proc action signal" TIMEOUT, NULL},
	{"poison", IN_SUBJECT, "proc id page at how" TIMEOUT, NULL},
	{"system-call", IN_SUBJECT, "proc id page offset at call" TIMEOUT, NULL},
	{"run-vm", IN_SUBJECT, "proc id page offset at" TIMEOUT, NULL},
	{"kill-policy", IN_SUBJECT, "proc kill" TIMEOUT, NULL},
};

static void forward(const struct command *c, const struct request *r, const char *text, size_t len, struct peer *peer)
{
	char copy[WIRE_MAX];

	if (peer->shared->spinning && strcmp(c->name, "stop") != 0) {
		send_error(r->id, EBUSY, "the subject spins: stop it first", peer->name);
		return;
	}
	if (!add_pending(r, peer))
		return;
	if (strcmp(c->name, "stop") == 0)
		peer->shared->stop = 1;
	memcpy(copy, text, len);
	copy[len] = '\n';
	/* Not longer than PIPE_BUF, so it goes in whole or not at all. */
	if (write(peer->command_fd, copy, len + 1) != (ssize_t)(len + 1)) {
		drop_pending(r->id);
		send_error(r->id, EAGAIN, "the subject does not read its commands", peer->name);
	}
}

void handle_line(char *text, size_t len)
{
	static char original[WIRE_MAX];
	const struct command *c = NULL;
	struct peer *peer = NULL;
	struct request r;
	const char *wrong;

	if (len == 0)
		return; /* an empty line ends whatever was on the wire before the host connected */
	memcpy(original, text, len);
	wrong = parse_request(text, len, &r);
	if (wrong != NULL) {
		send_error(r.id != NULL ? r.id : "0", EPROTO, wrong, NULL);
		return;
	}
	for (size_t i = 0; i < COUNT(commands); i++)
		if (strcmp(commands[i].name, r.command) == 0)
			c = &commands[i];
	if (c == NULL) {
		send_error(r.id, ENOSYS, "unknown command", r.command);
		return;
	}
	for (size_t i = 0; i < r.count; i++) {
		if (!listed(c->keys, r.values[i].key)) {
			send_error(r.id, EINVAL, "this command does not know the argument", r.values[i].key);
			return;
		}
	}
	if (is_pending(r.id)) {
		send_error("0", EALREADY, "a request with this id is in flight", r.id);
		return;
	}
	if (c->where == IN_AGENT) {
		c->run(&r);
		return;
	}
	if (listed(c->keys, "proc")) {
		peer = find_subject(arg_text(&r, "proc", ""));
		if (peer == NULL) {
			send_error(r.id, ESRCH, "no such subject", arg_text(&r, "proc", ""));
			return;
		}
		if (peer->program) {
			send_error(r.id, EINVAL, "this process is a program: it takes no commands", peer->name);
			return;
		}
	}
	if (c->where == IN_JOB)
		start_job(c->run, &r, peer);
	else
		forward(c, &r, original, len, peer);
}

void refuse_long_line(void)
{
	send_error("0", EPROTO, "line too long", NULL);
}
