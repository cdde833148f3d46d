#define _GNU_SOURCE

#include "port.h"

#include "io.h"
#include "request.h"

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define PORT_WAIT_NS 30000000000ull

static int open_port(const char *path)
{
	struct termios t;
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (tcgetattr(fd, &t) == 0) {
		cfmakeraw(&t);
		t.c_cflag |= CLOCAL | CREAD;
		t.c_cflag &= ~(tcflag_t)CRTSCTS;
		cfsetispeed(&t, B115200);
		cfsetospeed(&t, B115200);
		tcsetattr(fd, TCSANOW, &t);
	}
	return fd;
}

int wait_for_port(const char *list)
{
	uint64_t deadline = now_ns() + PORT_WAIT_NS;
	static char copy[512];

	do {
		char *path = copy;

		strncpy(copy, list, sizeof(copy) - 1);
		while (path != NULL && *path != '\0') {
			char *comma = strchr(path, ',');
			int fd;

			if (comma != NULL)
				*comma++ = '\0';
			fd = open_port(path);
			if (fd >= 0)
				return fd;
			path = comma;
		}
		(void)poll(NULL, 0, 20);
	} while (now_ns() < deadline);
	return -1;
}

const char *port_from_command_line(void)
{
	static char text[8192];
	char *cursor = text, *word;
	const char *found = NULL;
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = read_some(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	if (text[n - 1] == '\n')
		text[n - 1] = '\0';
	while ((word = next_word(&cursor)) != NULL)
		if (strncmp(word, "syndrome.port=", 14) == 0)
			found = word + 14;
	return found;
}
