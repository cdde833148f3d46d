/*
 * The Syndrome guest agent: PID 1 of an initramfs, or a child of another init.
 *
 *   as PID 1      takes its port from syndrome.port=<path>[,<path>…] on the kernel command line (first that appears)
 *   as a child    agent <path>          a tty or other character device
 *                 agent fd:<number>     an inherited stream socket
 *
 * One poll loop, no blocking call: what may block runs in subjects (subject.h) and jobs (jobs.h), each with a deadline.
 * The wire is described in wire.h, the commands in the table below.
 */
#define _GNU_SOURCE

#include "wire.h"

#include "subject.h"

#include "jobs.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>

#define VERSION "1.0.0"
#define PROTOCOL 1

#define PEERS_MAX 48
#define ARGV_MAX 128
#define PENDING_MAX 96
#define OUT_MAX (512u << 10)
/* With less room than this nothing new is read: an exit of every peer still fits. */
#define OUT_RESERVE (160u << 10)
#define PORT_WAIT_NS 30000000000ull
#define DEFAULT_TIMEOUT_MS 10000
#define SECOND_NS 1000000000ull
#define KMSG_RECORD_MAX 8192

/* ---- state ---------------------------------------------------------------------------------------------------- */

struct reader {
	size_t used;
	bool discarding; /* inside a line that was too long */
	char b[WIRE_MAX];
};

/* A child with a pipe: a subject (has a name) or a job (has none). */
struct peer {
	pid_t pid; /* 0: slot is free */
	int command_fd;
	int event_fd;
	char name[NAME_MAX_LEN + 1];
	struct shared *shared;
	bool program; /* started by exec: takes no commands */
	struct reader in;
};

struct pending {
	bool used;
	char id[ID_MAX + 1];
	struct peer *peer;
	uint64_t deadline;
};

static struct peer peers[PEERS_MAX];
static struct pending pending[PENDING_MAX];
static struct {
	size_t head, tail;
	uint64_t dropped;
	char b[OUT_MAX];
} out;
static struct reader port_in;
static int port_fd = -1;
static int signal_fd = -1;
static int kmsg_fd = -1;
static bool is_init;
static bool port_closed; /* as PID 1: nobody at the other end for now */

/* ---- output --------------------------------------------------------------------------------------------------- */

static size_t out_room(void)
{
	return OUT_MAX - (out.tail - out.head);
}

static void agent_emit(const char *bytes, size_t len)
{
	if (out_room() < len) {
		out.dropped++;
		return;
	}
	if (OUT_MAX - out.tail < len) {
		memmove(out.b, out.b + out.head, out.tail - out.head);
		out.tail -= out.head;
		out.head = 0;
	}
	memcpy(out.b + out.tail, bytes, len);
	out.tail += len;
}

static void out_flush(void)
{
	while (out.head < out.tail) {
		ssize_t n = write(port_fd, out.b + out.head, out.tail - out.head);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		out.head += (size_t)n;
	}
	out.head = out.tail = 0;
	if (out.dropped != 0) {
		struct line l;

		event_begin(&l, "dropped");
		kv_u64(&l, "lines", out.dropped);
		out.dropped = 0;
		line_send(&l);
	}
}

/* ---- requests in flight --------------------------------------------------------------------------------------- */

static struct pending *find_pending(const char *id)
{
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (pending[i].used && strcmp(pending[i].id, id) == 0)
			return &pending[i];
	return NULL;
}

static bool add_pending(const struct request *r, struct peer *peer)
{
	uint64_t ms;

	if (!arg_u64(r, "timeout-ms", DEFAULT_TIMEOUT_MS, 1, 600000, &ms)) {
		send_error(r->id, EINVAL, "timeout-ms is 1 to 600000", NULL);
		return false;
	}
	for (size_t i = 0; i < PENDING_MAX; i++) {
		if (!pending[i].used) {
			pending[i].used = true;
			memcpy(pending[i].id, r->id, strlen(r->id) + 1);
			pending[i].peer = peer;
			pending[i].deadline = now_ns() + ms * 1000000u;
			return true;
		}
	}
	send_error(r->id, EAGAIN, "too many requests in flight", NULL);
	return false;
}

static void expire_pending(void)
{
	uint64_t now = now_ns();

	for (size_t i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &pending[i];

		if (!p->used || p->deadline > now)
			continue;
		p->used = false;
		if (p->peer->shared == NULL) {
			kill(p->peer->pid, SIGKILL);
			send_error(p->id, ETIMEDOUT, "the command did not finish in time", NULL);
		} else {
			send_error(p->id, ETIMEDOUT, "the subject did not answer in time", p->peer->name);
		}
	}
}

/* ---- peers ---------------------------------------------------------------------------------------------------- */

static struct peer *find_subject(const char *name)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (peers[i].pid != 0 && peers[i].shared != NULL && strcmp(peers[i].name, name) == 0)
			return &peers[i];
	return NULL;
}

/* Passes on what a peer wrote: replies only for requests that still wait for one. */
static void relay(const char *text, size_t len)
{
	char id[ID_MAX + 1];
	const char *end;
	struct pending *p;

	if (len < 3 || text[1] != ' ')
		return;
	if (text[0] == 'E') {
		agent_emit(text, len);
		return;
	}
	end = memchr(text + 2, ' ', len - 2);
	if (end == NULL || (size_t)(end - text - 2) > ID_MAX)
		return;
	memcpy(id, text + 2, (size_t)(end - text - 2));
	id[end - text - 2] = '\0';
	p = find_pending(id);
	if (p == NULL)
		return;
	agent_emit(text, len);
	if (text[0] == 'R')
		p->used = false;
}

/* Reads what a peer wrote. False at end of file. */
static bool read_peer(struct peer *peer)
{
	struct reader *in = &peer->in;

	while (out_room() >= OUT_RESERVE / 2) {
		ssize_t n = read_some(peer->event_fd, in->b + in->used, sizeof(in->b) - in->used);
		char *start = in->b, *end;

		if (n < 0)
			return errno == EAGAIN;
		if (n == 0)
			return false;
		in->used += (size_t)n;
		while ((end = memchr(start, '\n', in->used - (size_t)(start - in->b))) != NULL) {
			relay(start, (size_t)(end + 1 - start));
			start = end + 1;
		}
		in->used -= (size_t)(start - in->b);
		memmove(in->b, start, in->used);
		if (in->used == sizeof(in->b))
			in->used = 0;
	}
	return true;
}

static void free_peer(struct peer *peer)
{
	if (peer->command_fd >= 0)
		close(peer->command_fd);
	if (peer->event_fd >= 0)
		close(peer->event_fd);
	if (peer->shared != NULL)
		munmap(peer->shared, sizeof(*peer->shared));
	memset(peer, 0, sizeof(*peer));
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct peer *peer = NULL;
		struct line l;

		for (size_t i = 0; i < PEERS_MAX; i++)
			if (peers[i].pid == pid)
				peer = &peers[i];
		if (peer == NULL)
			continue; /* an orphan that PID 1 inherited */
		if (peer->event_fd >= 0)
			(void)read_peer(peer);
		if (peer->shared != NULL) {
			event_begin(&l, "exit");
			kv(&l, "proc", peer->name);
			kv_i64(&l, "pid", pid);
			if (WIFSIGNALED(status)) {
				kv(&l, "status", "signaled");
				kv_signal(&l, WTERMSIG(status));
			} else {
				kv(&l, "status", "exited");
				kv_i64(&l, "code", WEXITSTATUS(status));
			}
			line_send(&l);
		}
		for (size_t i = 0; i < PENDING_MAX; i++) {
			if (!pending[i].used || pending[i].peer != peer)
				continue;
			pending[i].used = false;
			if (peer->shared != NULL)
				send_error(pending[i].id, ESRCH, "the subject died", peer->name);
			else
				send_error(pending[i].id, EIO, "the process that ran the command died", NULL);
		}
		free_peer(peer);
	}
}

static void set_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* In a new child: nothing of the agent's but its memory. */
static void detach_child(bool dies_with_agent)
{
	sigset_t none;

	if (dies_with_agent)
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < PEERS_MAX; i++) {
		if (peers[i].pid == 0)
			continue;
		if (peers[i].command_fd >= 0)
			close(peers[i].command_fd);
		if (peers[i].event_fd >= 0)
			close(peers[i].event_fd);
	}
	close(port_fd);
	close(signal_fd);
	if (kmsg_fd >= 0)
		close(kmsg_fd);
}

static struct peer *free_slot(void)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (peers[i].pid == 0)
			return &peers[i];
	return NULL;
}

static void agent_spawn(const struct request *r)
{
	const char *name = arg_text(r, "name", "");
	const char *policy = arg_text(r, "kill", NULL);
	struct peer *peer = free_slot();
	int command[2] = {-1, -1}, event[2] = {-1, -1};
	struct shared *shared;
	struct line l;
	pid_t pid;

	if (!valid_name(name)) {
		send_error(r->id, EINVAL, "name must be 1 to 15 of A-Z a-z 0-9 _ . -", NULL);
		return;
	}
	if (policy != NULL && !listed("early late default", policy)) {
		send_error(r->id, EINVAL, "kill must be early, late or default", policy);
		return;
	}
	if (find_subject(name) != NULL) {
		send_error(r->id, EEXIST, "a subject has this name", name);
		return;
	}
	if (peer == NULL) {
		send_error(r->id, EAGAIN, "too many processes", NULL);
		return;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		send_error(r->id, errno, "mmap", NULL);
		return;
	}
	if (pipe2(command, O_CLOEXEC) != 0 || pipe2(event, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
		int error = errno;

		for (int i = 0; i < 2; i++) {
			if (command[i] >= 0)
				close(command[i]);
			if (event[i] >= 0)
				close(event[i]);
		}
		munmap(shared, sizeof(*shared));
		send_error(r->id, error, "fork", name);
		return;
	}
	if (pid == 0) {
		detach_child(!is_init);
		close(command[1]);
		close(event[0]);
		if (policy != NULL)
			(void)set_kill_policy(policy);
		subject_main(name, shared, is_init, command[0], event[1]);
	}
	close(command[0]);
	close(event[1]);
	set_nonblocking(command[1]);
	set_nonblocking(event[0]);
	peer->pid = pid;
	peer->command_fd = command[1];
	peer->event_fd = event[0];
	peer->shared = shared;
	memcpy(peer->name, name, strlen(name) + 1);
	ok_begin(&l, r->id);
	kv(&l, "proc", name);
	kv_i64(&l, "pid", pid);
	line_send(&l);
}

/* In a new child: becomes the program. Lines of argv are its arguments; both outputs go to one file. */
static void become(char *argv, const char *output)
{
	static char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "LC_ALL=C", NULL};
	char *words[ARGV_MAX + 1];
	size_t n = 0;
	int in = open("/dev/null", O_RDONLY), to = open(output, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0644);

	if (in < 0 || to < 0 || dup2(in, 0) < 0 || dup2(to, 1) < 0 || dup2(to, 2) < 0)
		_exit(126);
	if (in > 2)
		close(in);
	if (to > 2)
		close(to);
	for (char *word = argv; word != NULL && n < ARGV_MAX; n++) {
		char *end = strchr(word, '\n');

		if (end != NULL)
			*end++ = '\0';
		words[n] = word;
		word = end;
	}
	words[n] = NULL;
	execve(words[0], words, environment);
	_exit(127);
}

static void agent_exec(const struct request *r)
{
	const char *name = arg_text(r, "name", "");
	const char *argv = arg_text(r, "argv", "");
	const char *output = arg_text(r, "output", "/dev/null");
	struct peer *peer = free_slot();
	struct shared *shared;
	struct line l;
	pid_t pid;

	if (!valid_name(name)) {
		send_error(r->id, EINVAL, "name must be 1 to 15 of A-Z a-z 0-9 _ . -", NULL);
		return;
	}
	if (argv[0] != '/') {
		send_error(r->id, EINVAL, "argv must begin with an absolute path", NULL);
		return;
	}
	if (find_subject(name) != NULL) {
		send_error(r->id, EEXIST, "a process has this name", name);
		return;
	}
	if (peer == NULL) {
		send_error(r->id, EAGAIN, "too many processes", NULL);
		return;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || (pid = fork()) < 0) {
		int error = errno;

		if (shared != MAP_FAILED)
			munmap(shared, sizeof(*shared));
		send_error(r->id, error, "fork", name);
		return;
	}
	if (pid == 0) {
		static char copy[WIRE_MAX];

		detach_child(!is_init);
		strncpy(copy, argv, sizeof(copy) - 1);
		become(copy, output);
	}
	peer->pid = pid;
	peer->command_fd = -1;
	peer->event_fd = -1;
	peer->shared = shared;
	peer->program = true;
	memcpy(peer->name, name, strlen(name) + 1);
	ok_begin(&l, r->id);
	kv(&l, "proc", name);
	kv_i64(&l, "pid", pid);
	line_send(&l);
}

/* ---- commands the agent runs itself --------------------------------------------------------------------------- */

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
	kv_u64(l, "pid1", is_init);
}

static void send_ready(void)
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
	path.b[path.n] = '\0';
	fd = open(path.b, O_RDONLY | O_CLOEXEC);
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
	if (kmsg_fd < 0)
		kmsg_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg_fd < 0) {
		send_error(r->id, errno, "open", "/dev/kmsg");
		return;
	}
	/* What does not fit into the output now stays in the kernel's buffer for the next call. */
	for (;;) {
		if (lines == max || out_room() < OUT_RESERVE) {
			struct pollfd p = {.fd = kmsg_fd, .events = POLLIN, .revents = 0};

			more = poll(&p, 1, 0) == 1;
			break;
		}
		ssize_t n = read_some(kmsg_fd, record, sizeof(record));
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
		action = RB_HALT_SYSTEM;
	} else {
		send_error(r->id, EINVAL, "how is poweroff, restart or halt", NULL);
		return;
	}
	if (!is_init) {
		send_error(r->id, EPERM, "this agent is not PID 1 and will not stop the machine", NULL);
		return;
	}
	send_ok(r->id);
	for (out_flush(); out.head < out.tail && now_ns() < deadline; out_flush()) {
		struct pollfd p = {.fd = port_fd, .events = POLLOUT, .revents = 0};

		(void)poll(&p, 1, 100);
	}
	for (int waiting = 1; now_ns() < deadline && ioctl(port_fd, TIOCOUTQ, &waiting) == 0 && waiting > 0;)
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
	{"write", IN_JOB, "path value" TIMEOUT, job_write},
	{"hwpoison", IN_JOB, "pfn undo" TIMEOUT, job_hwpoison},
	{"insmod", IN_JOB, "path params" TIMEOUT, job_insmod},
	{"check-interval", IN_JOB, "seconds" TIMEOUT, job_check_interval},
	{"sync", IN_JOB, "" TIMEOUT, job_sync},
	{"translate", IN_JOB, "proc virt id page offset" TIMEOUT, NULL},
	{"map", IN_SUBJECT, "proc id pages size kind kill fill" TIMEOUT, NULL},
	{"unmap", IN_SUBJECT, "proc id" TIMEOUT, NULL},
	{"touch", IN_SUBJECT, "proc id page offset write" TIMEOUT, NULL},
	{"verify", IN_SUBJECT, "proc id" TIMEOUT, NULL},
	{"spin", IN_SUBJECT, "proc id page offset cpu" TIMEOUT, NULL},
	{"stop", IN_SUBJECT, "proc" TIMEOUT, NULL},
	{"on-signal", IN_SUBJECT, "proc action signal" TIMEOUT, NULL},
	{"poison", IN_SUBJECT, "proc id page how" TIMEOUT, NULL},
	{"kill-policy", IN_SUBJECT, "proc kill" TIMEOUT, NULL},
};

static void start_job(const struct command *c, const struct request *r, const struct peer *target)
{
	struct peer *peer = free_slot();
	int event[2];
	pid_t pid;

	if (peer == NULL) {
		send_error(r->id, EAGAIN, "too many processes", NULL);
		return;
	}
	if (!add_pending(r, peer))
		return;
	if (pipe2(event, O_CLOEXEC) != 0) {
		find_pending(r->id)->used = false;
		send_error(r->id, errno, "pipe", NULL);
		return;
	}
	pid = fork();
	if (pid < 0) {
		int error = errno;

		close(event[0]);
		close(event[1]);
		find_pending(r->id)->used = false;
		send_error(r->id, error, "fork", NULL);
		return;
	}
	if (pid == 0) {
		pid_t target_pid = target != NULL ? target->pid : 0;
		struct shared *shared = target != NULL ? target->shared : NULL;

		detach_child(true);
		close(event[0]);
		job_fd = event[1];
		emit = job_emit;
		if (c->run != NULL)
			c->run(r);
		else
			job_translate(r, target_pid, shared);
		_exit(0);
	}
	close(event[1]);
	set_nonblocking(event[0]);
	peer->pid = pid;
	peer->command_fd = -1;
	peer->event_fd = event[0];
}

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
		find_pending(r->id)->used = false;
		send_error(r->id, EAGAIN, "the subject does not read its commands", peer->name);
	}
}

static void handle_line(char *text, size_t len)
{
	static char original[WIRE_MAX];
	const struct command *c = NULL;
	struct peer *peer = NULL;
	struct request r;
	const char *wrong;

	if (len > 0 && text[len - 1] == '\r')
		len--;
	text[len] = '\0';
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
	if (find_pending(r.id) != NULL) {
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
		start_job(c, &r, peer);
	else
		forward(c, &r, original, len, peer);
}

/* ---- the port ------------------------------------------------------------------------------------------------- */

/* Handles what the host sent. False when the port is at its end. */
static bool read_port(void)
{
	struct reader *in = &port_in;
	/* One byte stays free for the NUL of the longest line. */
	ssize_t n = read_some(port_fd, in->b + in->used, sizeof(in->b) - 1 - in->used);
	char *start = in->b, *end;

	if (n < 0)
		return errno == EAGAIN;
	if (n == 0)
		return false;
	in->used += (size_t)n;
	while ((end = memchr(start, '\n', in->used - (size_t)(start - in->b))) != NULL) {
		if (in->discarding)
			in->discarding = false;
		else
			handle_line(start, (size_t)(end - start));
		start = end + 1;
	}
	in->used -= (size_t)(start - in->b);
	memmove(in->b, start, in->used);
	if (in->used == sizeof(in->b) - 1) {
		if (!in->discarding)
			send_error("0", EPROTO, "line too long", NULL);
		in->discarding = true;
		in->used = 0;
	}
	return true;
}

static int open_port(const char *path)
{
	struct termios t;
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (tcgetattr(fd, &t) == 0) {
		cfmakeraw(&t);
		t.c_cflag |= CLOCAL | CREAD;
		t.c_cflag &= ~(tcflag_t)CRTSCTS;
		cfsetispeed(&t, B115200);
		cfsetospeed(&t, B115200);
		tcsetattr(fd, TCSANOW, &t);
	}
	return fd;
}

/* Opens the first of a comma-separated list that appears within the bound; -1 when none does. */
static int wait_for_port(const char *list)
{
	uint64_t deadline = now_ns() + PORT_WAIT_NS;
	static char copy[512];

	do {
		char *path = copy;

		strncpy(copy, list, sizeof(copy) - 1);
		while (path != NULL && *path != '\0') {
			char *comma = strchr(path, ',');
			int fd;

			if (comma != NULL)
				*comma++ = '\0';
			fd = open_port(path);
			if (fd >= 0)
				return fd;
			path = comma;
		}
		(void)poll(NULL, 0, 20);
	} while (now_ns() < deadline);
	return -1;
}

/* ---- start ---------------------------------------------------------------------------------------------------- */

/* The one thing the agent says on the console; never waits for it. */
static void say(const char *text)
{
	int fd = is_init ? open("/dev/console", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : 1;

	if (fd < 0)
		return;
	(void)write_fully(fd, text, strlen(text));
	if (fd != 1)
		close(fd);
}

static void mount_all(void)
{
	static const struct {
		const char *type, *where;
	} mounts[] = {
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"debugfs", "/sys/kernel/debug"},
		{"tracefs", "/sys/kernel/tracing"}, {"tmpfs", "/run"},
	};

	for (size_t i = 0; i < COUNT(mounts); i++) {
		(void)mkdir(mounts[i].where, 0755);
		(void)mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL);
	}
	/* Compaction would move locked pages and so change the physical address a mapping was reported at. */
	(void)write_file("/proc/sys/vm/compact_unevictable_allowed", "0", 1);
}

/* The value of syndrome.port= on the kernel command line; NULL when there is none. */
static const char *port_from_command_line(void)
{
	static char text[8192];
	char *cursor = text, *word;
	const char *found = NULL;
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = read_some(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	if (text[n - 1] == '\n')
		text[n - 1] = '\0';
	while ((word = next_word(&cursor)) != NULL)
		if (strncmp(word, "syndrome.port=", 14) == 0)
			found = word + 14;
	return found;
}

static int poll_timeout(void)
{
	uint64_t now = now_ns(), next = UINT64_MAX;

	for (size_t i = 0; i < PENDING_MAX; i++)
		if (pending[i].used && pending[i].deadline < next)
			next = pending[i].deadline;
	if (next == UINT64_MAX)
		return port_closed ? 100 : -1;
	if (next <= now)
		return 0;
	next = (next - now) / 1000000u + 1;
	return port_closed && next > 100 ? 100 : (int)next;
}

/* Not as PID 1: nothing the agent started outlives it. */
static void end_children(void)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (peers[i].pid != 0)
			kill(peers[i].pid, SIGKILL);
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (peers[i].pid != 0)
			(void)waitpid(peers[i].pid, NULL, 0);
}

static void drain_signals(void)
{
	struct signalfd_siginfo info;

	while (read_some(signal_fd, (char *)&info, sizeof(info)) == (ssize_t)sizeof(info))
		;
}

static int run(void)
{
	for (;;) {
		struct pollfd fds[2 + PEERS_MAX];
		struct peer *owners[2 + PEERS_MAX];
		bool may_read = out_room() >= OUT_RESERVE;
		nfds_t n = 2;

		memset(fds, 0, sizeof(fds));
		fds[0].fd = port_closed ? -1 : port_fd;
		fds[0].events = (short)((may_read ? POLLIN : 0) | (out.head < out.tail ? POLLOUT : 0));
		fds[1].fd = signal_fd;
		fds[1].events = POLLIN;
		for (size_t i = 0; i < PEERS_MAX && may_read; i++) {
			if (peers[i].pid != 0 && peers[i].event_fd >= 0) {
				fds[n].fd = peers[i].event_fd;
				fds[n].events = POLLIN;
				owners[n++] = &peers[i];
			}
		}
		(void)poll(fds, n, poll_timeout());
		for (nfds_t i = 2; i < n; i++) {
			if (fds[i].revents != 0 && !read_peer(owners[i])) {
				close(owners[i]->event_fd);
				owners[i]->event_fd = -1;
			}
		}
		if (fds[1].revents != 0) {
			drain_signals();
			reap();
		}
		expire_pending();
		if ((port_closed || (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) && out_room() >= OUT_RESERVE) {
			port_closed = !read_port();
			if (port_closed && !is_init) {
				end_children();
				return 0;
			}
		}
		out_flush();
	}
}

int main(int argc, char **argv)
{
	const char *port;
	uint64_t number;
	sigset_t block;

	emit = agent_emit;
	is_init = getpid() == 1;
	if (is_init)
		mount_all();
	port = argc > 1 && !is_init ? argv[1] : port_from_command_line();
	if (port != NULL && strncmp(port, "fd:", 3) == 0 && !is_init && parse_u64(port + 3, &number) && number < 1024) {
		port_fd = (int)number;
		set_nonblocking(port_fd);
		fcntl(port_fd, F_SETFD, FD_CLOEXEC);
	} else if (port != NULL) {
		port_fd = wait_for_port(port);
	}
	if (port_fd < 0) {
		say(port == NULL ? "syndrome agent: no port (syndrome.port=/dev/... or an argument)\n"
				 : "syndrome agent: the port did not appear\n");
		if (!is_init)
			return 1;
		sync();
		reboot(RB_POWER_OFF);
		for (;;)
			pause();
	}
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	sigprocmask(SIG_BLOCK, &block, NULL);
	signal_fd = signalfd(-1, &block, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signal_fd < 0)
		return 1;
	say("syndrome agent " VERSION " ready\n");
	/* The empty line ends what a Linux before this one, crashed since, left half sent. */
	emit("\n", 1);
	send_ready();
	out_flush();
	return run();
}
