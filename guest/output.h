/* Lines that wait until the port takes them. */
#ifndef SYNDROME_OUTPUT_H
#define SYNDROME_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#define OUT_MAX (512u << 10)
/* With less room than this nothing new is read: an exit of every peer still fits. */
#define OUT_RESERVE (160u << 10)

size_t out_room(void);
bool out_waiting(void);
/* Adds a line; one that does not fit is counted and told later (E dropped). */
void out_queue(const char *bytes, size_t len);
/* Writes what the port takes now. */
void out_flush(void);

#endif
