/*
 * Jobs: commands that could block in the kernel (files of /proc, /sys and debugfs, module loading) run in a short-lived
 * child each, so that the agent itself never waits.
 */
#ifndef SYNDROME_JOBS_H
#define SYNDROME_JOBS_H

#include "request.h"
#include "subject.h"

#include <sys/types.h>

/* From now on lines of this process go to that pipe. */
void become_job(int event_fd);

/* Each answers its request. */
void job_read(const struct request *r);
void job_copy(const struct request *r);
void job_write(const struct request *r);
/* Goes on behind its answer: an event for each line that the file still gets. */
void job_follow(const struct request *r);
/* Reads or writes 32 bits at a time, as registers want it: of a file, or of what a file maps. */
void job_register(const struct request *r);
void job_hwpoison(const struct request *r);
void job_insmod(const struct request *r);
void job_check_interval(const struct request *r);
void job_sync(const struct request *r);
/* translate proc=... virt=0x... | id=... [page=] [offset=]: works also while the subject spins or hangs. */
void job_translate(const struct request *r, pid_t pid, const struct shared *shared);

#endif
