/* A clock that reads like the wall clock and that nobody sets, the same in all processes of a user on this
 * host: for what is compared, like when a process began, and not shown to people. */
#ifndef CONCLAVE_STEADY_H
#define CONCLAVE_STEADY_H

#include <stdint.h>

/* Microseconds since the epoch, as they were when the first process of this user asked since the machine
 * started, and as many more as have passed since by CLOCK_BOOTTIME (of the host, in whatever time namespace).
 * That first process writes down what to add, in /dev/shm/conclave-clock-UID, which a restart empties.
 * Where that file cannot be had, or is somebody else's, each process begins with the wall clock itself. About
 * 30 ns, and some system calls the first time. From any thread, and in the child of a fork. */
uint64_t conclave_steady_us(void);

/* How far it is ahead of the wall clock just now. */
int64_t conclave_steady_ahead_us(void);

/* For tests: what conclave_steady_us adds to CLOCK_BOOTTIME, from the file in another directory. */
int64_t conclave_steady_base_us(const char *directory);

#endif
