/* Starting a copy of this program. Why C: posix_spawn's opaque attribute objects and `environ`. */
#ifndef CONCLAVE_SPAWN_H
#define CONCLAVE_SPAWN_H

#include <stdint.h>

/* Starts the program that this process runs, with `arguments` (argv, NULL at its end), `input` as
 * its standard input and `output` as its standard output; everything else is inherited. It gets a
 * process group of its own, so that what a terminal sends goes to the caller alone, and no blocked
 * signals. `input` and `output` should be close-on-exec. Returns 0 and stores the pid, or an errno.
 */
int conclave_spawn_self(char *const arguments[], int input, int output, int32_t *pid);

/* A pipe whose ends close on exec: [0] to read from, [1] to write to. Returns 0, or -1 and sets
 * errno. Why C: Swift's Glibc module has no pipe2. */
int conclave_spawn_pipe(int ends[2]);

#endif
