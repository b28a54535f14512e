/* Running other programs, and ending them with all that they have started. Why C: posix_spawn's opaque
 * attribute objects, and system calls that Swift's Glibc module does not have.
 *
 * All functions may be called from any thread. */
#ifndef CONCLAVE_CHILD_H
#define CONCLAVE_CHILD_H

#include <stdint.h>

/* Starts `program` (a path; nothing is searched for) with `arguments` and `environment` (both with NULL
 * at their ends) in `directory`. Its descriptors 0, 1 and 2 are `standard`; it inherits no other one. It
 * leads a session of its own, so that no terminal can stop it or be read by it, has no blocked
 * signals, and handles all in the default way. Returns 0 and stores the pid, or an errno. */
int conclave_child_start(const char *program, char *const arguments[], char *const environment[],
                         const char *directory, const int32_t standard[3], int32_t *pid);

/* A descriptor that becomes readable when the process `pid` ends, or -1 and sets errno. */
int conclave_child_open(int32_t pid);

/* Sends `signal` to the process of a descriptor of conclave_child_open, and to no other one that has
 * got its pid since. Returns 0, or -1 and sets errno. */
int conclave_child_signal(int descriptor, int signal);

/* From now on this process becomes the parent of every descendant whose parent dies, for all of its
 * life. Returns 0, or -1 and sets errno. */
int conclave_child_adopt(void);

/* From now on `signal` is sent to this process when the thread ends that has started it. Returns 0, or
 * -1 and sets errno. */
int conclave_child_follow_parent(int signal);

/* A file without a name that lies in memory, or -1 and sets errno. */
int conclave_memory_file(void);

/* A pipe that closes on exec: [0] to read from without blocking, [1] to write to. Returns 0, or -1 and
 * sets errno. */
int conclave_child_pipe(int32_t ends[2]);

#endif
