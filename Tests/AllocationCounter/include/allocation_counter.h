/* Counts what a thread allocates: the C library's allocation functions, replaced in the test program by
 * ones that count and then do what they always did. Not under a sanitizer, which replaces them too. */
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdint.h>

/* Whether allocations are counted at all: 1 or 0. */
int allocation_counter_works(void);

/* Begins to count the calling thread's allocations, from 0. */
void allocation_counter_begin(void);

/* Ends counting; returns how many there were. */
uint64_t allocation_counter_end(void);

#endif
