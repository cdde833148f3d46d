/* The table of all commands, and those the agent runs itself. */
#ifndef SYNDROME_COMMANDS_H
#define SYNDROME_COMMANDS_H

#include <stddef.h>

void send_ready(void);

/* Carries out a request line, NUL-terminated, without its LF; every fault of it is answered. */
void handle_line(char *text, size_t len);
/* Answers a line that does not fit the wire. */
void refuse_long_line(void);

#endif
