/* A small disk with a file system: pages of a file that has something behind it. */
#ifndef SYNDROME_DISK_H
#define SYNDROME_DISK_H

#include "request.h"

/* The file on it that is mapped. */
#define DISK_FOLDER "/disk"
#define DISK_FILE DISK_FOLDER "/page"
#define DISK_FILE_PAGES 8

/* disk: makes it in memory, behind a loop device, and mounts it. Nothing where it is mounted already. */
void job_disk(const struct request *r);

#endif
