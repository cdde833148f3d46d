/* Names of errno values, signals and signal codes, as they stand on the wire. */
#ifndef SYNDROME_NAMES_H
#define SYNDROME_NAMES_H

/* "ENOENT"; NULL for a number that has no name here. */
const char *errno_name(int error);

/* "SIGBUS"; NULL for a number that has no name here. */
const char *signal_name(int signo);

/* The number of a signal's name; 0 when it is none. */
int signal_number(const char *name);

/* "BUS_MCEERR_AO" for the si_code of that signal; "UNKNOWN" otherwise. */
const char *code_name(int signo, int code);

#endif
