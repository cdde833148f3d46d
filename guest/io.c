#define _GNU_SOURCE

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

ssize_t read_some(int fd, char *buf, size_t max)
{
	ssize_t n;

	do
		n = read(fd, buf, max);
	while (n < 0 && errno == EINTR);
	return n;
}

bool write_fully(int fd, const char *s, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, s, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s += n;
		len -= (size_t)n;
	}
	return true;
}

int write_file(const char *path, const char *value, size_t len)
{
	return write_file_at(path, value, len, 0);
}

int write_file_at(const char *path, const char *value, size_t len, uint64_t offset)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;
	int error;

	if (fd < 0)
		return errno;
	n = offset == 0 ? write(fd, value, len) : pwrite(fd, value, len, (off_t)offset);
	error = n < 0 ? errno : (size_t)n == len ? 0 : EIO;
	close(fd);
	return error;
}
