/* Time, and reads and writes that go on after an interruption. */
#ifndef SYNDROME_IO_H
#define SYNDROME_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* CLOCK_MONOTONIC. */
uint64_t now_ns(void);

/* Reads up to max bytes; -1 with errno when nothing could be read. */
ssize_t read_some(int fd, char *buf, size_t max);

/* False with errno when not all could be written. */
bool write_fully(int fd, const char *s, size_t len);

/* Writes a value to an existing file in one write(2), as sysfs and debugfs want it. 0 or an errno. */
int write_file(const char *path, const char *value, size_t len);
/* The same at a position: registers of /dev/cpu/N/msr stand at their numbers. */
int write_file_at(const char *path, const char *value, size_t len, uint64_t offset);

#endif
