/*
 * The Syndrome guest agent: PID 1 of an initramfs, or a child of another init.
 *
 *   as PID 1      takes its port from syndrome.port=<path>[,<path>…] on the kernel command line (first that appears)
 *   as a child    agent <path>          a tty or other character device
 *                 agent fd:<number>     an inherited stream socket
 *
 * One poll loop, no blocking call: what may block runs in subjects (subject.c) and jobs (jobs.c), each with a deadline.
 * The wire is described in wire.h, the commands stand in the table of commands.c.
 */
#define _GNU_SOURCE

#include "commands.h"
#include "io.h"
#include "line.h"
#include "output.h"
#include "peers.h"
#include "port.h"
#include "reader.h"
#include "request.h"
#include "spawn.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

struct agent agent = {.port_fd = -1, .signal_fd = -1, .kmsg_fd = -1, .is_init = false};

static struct reader port_in;
static bool port_closed; /* as PID 1: nobody at the other end for now */

/* The one thing the agent says on the console; never waits for it. */
static void say(const char *text)
{
	int fd = agent.is_init ? open("/dev/console", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : 1;

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
		{"tracefs", "/sys/kernel/tracing"}, {"pstore", "/sys/fs/pstore"}, {"tmpfs", "/run"},
	};

	for (size_t i = 0; i < COUNT(mounts); i++) {
		(void)mkdir(mounts[i].where, 0755);
		(void)mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL);
	}
	/* Compaction would move locked pages and so change the physical address a mapping was reported at. */
	(void)write_file("/proc/sys/vm/compact_unevictable_allowed", "0", 1);
}

static int poll_timeout(void)
{
	uint64_t now = now_ns(), next = next_deadline();

	if (next == UINT64_MAX)
		return port_closed ? 100 : -1;
	if (next <= now)
		return 0;
	next = (next - now) / 1000000u + 1;
	return port_closed && next > 100 ? 100 : (int)next;
}

static void drain_signals(void)
{
	struct signalfd_siginfo info;

	while (read_some(agent.signal_fd, (char *)&info, sizeof(info)) == (ssize_t)sizeof(info))
		;
}

/* Handles what the host sent. False when the port is at its end. */
static bool read_port(void)
{
	static const struct listener host = {handle_line, refuse_long_line};
	ssize_t n = read_lines(&port_in, agent.port_fd, &host);

	return n < 0 ? errno == EAGAIN : n > 0;
}

static int run(void)
{
	for (;;) {
		struct pollfd fds[2 + PEERS_MAX];
		struct peer *owners[2 + PEERS_MAX];
		bool may_read = out_room() >= OUT_RESERVE;
		nfds_t n = 2;

		memset(fds, 0, sizeof(fds));
		fds[0].fd = port_closed ? -1 : agent.port_fd;
		fds[0].events = (short)((may_read ? POLLIN : 0) | (out_waiting() ? POLLOUT : 0));
		fds[1].fd = agent.signal_fd;
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
			if (port_closed && !agent.is_init) {
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

	emit = out_queue;
	agent.is_init = getpid() == 1;
	if (agent.is_init)
		mount_all();
	port = argc > 1 && !agent.is_init ? argv[1] : port_from_command_line();
	if (port != NULL && strncmp(port, "fd:", 3) == 0 && !agent.is_init && parse_u64(port + 3, &number) && number < 1024) {
		agent.port_fd = (int)number;
		set_nonblocking(agent.port_fd);
		fcntl(agent.port_fd, F_SETFD, FD_CLOEXEC);
	} else if (port != NULL) {
		agent.port_fd = wait_for_port(port);
	}
	if (agent.port_fd < 0) {
		say(port == NULL ? "syndrome agent: no port (syndrome.port=/dev/... or an argument)\n"
				 : "syndrome agent: the port did not appear\n");
		if (!agent.is_init)
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
	agent.signal_fd = signalfd(-1, &block, SFD_NONBLOCK | SFD_CLOEXEC);
	if (agent.signal_fd < 0)
		return 1;
	say("syndrome agent " VERSION " ready\n");
	/* The empty line ends what a Linux before this one, crashed since, left half sent. */
	emit("\n", 1);
	send_ready();
	out_flush();
	return run();
}
