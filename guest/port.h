/* The serial port to the host. */
#ifndef SYNDROME_PORT_H
#define SYNDROME_PORT_H

/* The value of syndrome.port= on the kernel command line; NULL when there is none. */
const char *port_from_command_line(void);

/* Opens the first of a comma-separated list that appears within the bound; -1 when none does. */
int wait_for_port(const char *list);

#endif
