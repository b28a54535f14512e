/* Which process this is, as messages name it. Why C: the child's side of a fork may run only what is
 * async-signal-safe, which a Swift closure with its lazily made globals is not.
 *
 * All functions may be called from any thread, and from a child after fork. */
#ifndef CONCLAVE_PROCESS_H
#define CONCLAVE_PROCESS_H

#include <stdint.h>

/* For what runs in a signal handler. A thread sanitizer makes a call of its own of each atomic, which
 * takes a lock that the interrupted thread may hold: where the fault is in such a call, it does. */
#if defined(__has_attribute) && __has_attribute(disable_sanitizer_instrumentation)
#define CONCLAVE_IN_HANDLER __attribute__((disable_sanitizer_instrumentation))
#else
#define CONCLAVE_IN_HANDLER
#endif

/* The pid, without a system call. */
uint32_t conclave_process_id(void);

/* How many forks lie between the first call of any of these functions and this process. A handle that
 * remembers another number was opened by an ancestor. */
uint64_t conclave_process_generation(void);

/* Takes `count` numbers for messages; returns the first. They rise by one per message and begin at the
 * time in nanoseconds since the epoch at which this process first asked, or was forked. */
uint64_t conclave_process_take_ids(uint64_t count);

/* The time in microseconds since the epoch (conclave_steady_us), made greater than every result before in this process. */
uint64_t conclave_process_new_incarnation(void);

#endif
