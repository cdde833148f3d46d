#ifndef SYNDROME_THREADS_H
#define SYNDROME_THREADS_H

/* NULL, or why the threads of this process cannot be copied. */
const char *find_threads(void);

/* Stops all threads but this one, where they are. NULL, or why not; then they go on. */
const char *park_threads(void);

/* Lets them go on. */
void release_threads(void);

/* While they are parked: a copy of this process with this one thread. Its PID, 0 in the copy, or a negative errno. */
long copy_process(void);

/* In the copy: makes the other threads again, each where it stood. 0, or a negative errno. */
long copy_threads(void);

#endif
