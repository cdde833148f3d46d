/* Starting children: subjects, programs and jobs. */
#ifndef SYNDROME_SPAWN_H
#define SYNDROME_SPAWN_H

#include "peers.h"
#include "request.h"

void set_nonblocking(int fd);

/* spawn and exec; each answers its request. */
void agent_spawn(const struct request *r);
void agent_exec(const struct request *r);

/* Runs a command in a child of its own, which answers. target may be NULL; it is what translate is about. */
void start_job(void (*run)(const struct request *), const struct request *r, const struct peer *target);

#endif
