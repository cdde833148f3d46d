#define _GNU_SOURCE

#include "peers.h"

#include "io.h"
#include "line.h"
#include "output.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PENDING_MAX 96
#define DEFAULT_TIMEOUT_MS 10000

struct pending {
	bool used;
	char id[ID_MAX + 1];
	struct peer *peer;
	uint64_t deadline;
};

struct peer peers[PEERS_MAX];
static struct pending pending[PENDING_MAX];

static struct pending *find_pending(const char *id)
{
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (pending[i].used && strcmp(pending[i].id, id) == 0)
			return &pending[i];
	return NULL;
}

bool is_pending(const char *id)
{
	return find_pending(id) != NULL;
}

void drop_pending(const char *id)
{
	struct pending *p = find_pending(id);

	if (p != NULL)
		p->used = false;
}

bool add_pending(const struct request *r, struct peer *peer)
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

void expire_pending(void)
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

struct peer *find_subject(const char *name)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (peers[i].pid != 0 && peers[i].shared != NULL && strcmp(peers[i].name, name) == 0)
			return &peers[i];
	return NULL;
}

/* Passes on what a peer wrote: replies only for requests that still wait for one. */
static void relay(char *text, size_t len)
{
	char id[ID_MAX + 1];
	const char *end;
	struct pending *p;

	text[len++] = '\n';
	if (len < 3 || text[1] != ' ')
		return;
	if (text[0] == 'E') {
		out_queue(text, len);
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
	out_queue(text, len);
	if (text[0] == 'R')
		p->used = false;
}

static void ignore_long_line(void)
{
}

bool read_peer(struct peer *peer)
{
	static const struct listener relayed = {relay, ignore_long_line};

	while (out_room() >= OUT_RESERVE / 2) {
		ssize_t n = read_lines(&peer->in, peer->event_fd, &relayed);

		if (n <= 0)
			return n < 0 && errno == EAGAIN;
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

void reap(void)
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

struct peer *free_slot(void)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (peers[i].pid == 0)
			return &peers[i];
	return NULL;
}

uint64_t next_deadline(void)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < PENDING_MAX; i++)
		if (pending[i].used && pending[i].deadline < next)
			next = pending[i].deadline;
	return next;
}

void end_children(void)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (peers[i].pid != 0)
			kill(peers[i].pid, SIGKILL);
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (peers[i].pid != 0)
			(void)waitpid(peers[i].pid, NULL, 0);
}
