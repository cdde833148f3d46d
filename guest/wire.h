/*
 * The text wire between the agent and its host. docs/agent-wire.md describes it with a transcript.
 *
 *   request   <id> <command> key=value ...
 *   reply     R <id> ok key=value ... t=<ns>      or   R <id> err <ERRNO> <text> t=<ns>
 *   data      D <id> <text>    one line of a multi-line answer; C <id> <text> is a piece that the next C or D continues
 *   event     E <name> key=value ... t=<ns>
 *
 * A line is at most WIRE_MAX bytes with its LF. Values and texts are percent-encoded. No stdio: formatting of numbers
 * is done in line.c, so that the program links without compiler support routines.
 */
#ifndef SYNDROME_WIRE_H
#define SYNDROME_WIRE_H

#define WIRE_MAX 4096
/* Room that every line keeps for its " t=<ns>" and LF. */
#define WIRE_TAIL 32
#define ID_MAX 15
#define NAME_MAX_LEN 15
#define KEYS_MAX 24

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
