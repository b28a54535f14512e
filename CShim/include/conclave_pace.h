/* Doing things at exact times. Why C: prctl takes a variable number of arguments, which Swift
 * cannot pass. */
#ifndef CONCLAVE_PACE_H
#define CONCLAVE_PACE_H

#include <stdint.h>

/* Has the calling thread's sleeps end when they should, instead of up to 50 us later, so that the
 * kernel may wake several threads at once. */
void conclave_pace_precisely(void);

/* Sleeps until `deadline_ns` (absolute CLOCK_MONOTONIC nanoseconds), signals or not. */
void conclave_pace_until(uint64_t deadline_ns);

#endif
