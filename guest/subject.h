/*
 * A subject: a process the agent forks to be the victim of a memory error. It maps, reads and poisons pages on command,
 * reports every signal it gets, and survives the ones it was told to survive.
 */
#ifndef SYNDROME_SUBJECT_H
#define SYNDROME_SUBJECT_H

#include "wire.h"

#include <stdbool.h>
#include <stdint.h>

#define MAPS_MAX 16

struct mapping {
	char id[NAME_MAX_LEN + 1];
	uint64_t virt;
	uint64_t bytes;
	uint64_t page_bytes;
	unsigned char fill;
};

/* Shared between the agent and one subject, so that the agent can stop a spinning subject and translate its pages
 * without its help. The subject writes all but "stop". */
struct shared {
	volatile int stop;
	volatile int spinning;
	volatile uint64_t iterations;
	struct mapping maps[MAPS_MAX];
};

/* early, late or default, as prctl(PR_MCE_KILL) knows them; false with errno. */
bool set_kill_policy(const char *policy);

/* Never returns: executes commands until the agent closes the pipe. may_reserve: grow the huge page pool as needed. */
_Noreturn void subject_main(const char *name, struct shared *shared, bool may_reserve, int command_fd, int event_fd);

#endif
