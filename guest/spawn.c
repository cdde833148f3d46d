#define _GNU_SOURCE

#include "spawn.h"

#include "jobs.h"
#include "line.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define ARGV_MAX 128

void set_nonblocking(int fd)
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
	close(agent.port_fd);
	close(agent.signal_fd);
	if (agent.kmsg_fd >= 0)
		close(agent.kmsg_fd);
}

void agent_spawn(const struct request *r)
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
		detach_child(!agent.is_init);
		close(command[1]);
		close(event[0]);
		if (policy != NULL)
			(void)set_kill_policy(policy);
		subject_main(name, shared, agent.is_init, command[0], event[1]);
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

void agent_exec(const struct request *r)
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

		detach_child(!agent.is_init);
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

void start_job(void (*run)(const struct request *), const struct request *r, const struct peer *target)
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
		drop_pending(r->id);
		send_error(r->id, errno, "pipe", NULL);
		return;
	}
	pid = fork();
	if (pid < 0) {
		int error = errno;

		close(event[0]);
		close(event[1]);
		drop_pending(r->id);
		send_error(r->id, error, "fork", NULL);
		return;
	}
	if (pid == 0) {
		pid_t target_pid = target != NULL ? target->pid : 0;
		struct shared *shared = target != NULL ? target->shared : NULL;

		detach_child(true);
		close(event[0]);
		become_job(event[1]);
		if (run != NULL)
			run(r);
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
