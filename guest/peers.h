/* The agent's children, and the requests that wait for one of them. */
#ifndef SYNDROME_PEERS_H
#define SYNDROME_PEERS_H

#include "reader.h"
#include "request.h"
#include "subject.h"
#include "wire.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PEERS_MAX 48

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

extern struct peer peers[PEERS_MAX];

struct peer *find_subject(const char *name);
struct peer *free_slot(void);

/* Whether a request of this id waits. */
bool is_pending(const char *id);
/* Lets a request wait for a peer, as long as its timeout-ms says; false after an error reply. */
bool add_pending(const struct request *r, struct peer *peer);
void drop_pending(const char *id);
/* Answers the requests that waited too long. */
void expire_pending(void);
/* When the next of them has waited long enough (now_ns); UINT64_MAX when none waits. */
uint64_t next_deadline(void);

/* Passes on what a peer wrote. False at end of file. */
bool read_peer(struct peer *peer);
/* Tells the ends of children and frees their slots. */
void reap(void);
/* Not as PID 1: nothing the agent started outlives it. */
void end_children(void);

#endif
