/* What the whole agent knows of itself. */
#ifndef SYNDROME_STATE_H
#define SYNDROME_STATE_H

#include <stdbool.h>

#define VERSION "1.0.0"
#define PROTOCOL 1

struct agent {
	int port_fd;
	int signal_fd;
	int kmsg_fd; /* -1 until the first kmsg command */
	bool is_init;
};

extern struct agent agent;

#endif
