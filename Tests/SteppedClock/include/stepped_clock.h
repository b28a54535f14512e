/* A wall clock that somebody sets, forwards and backwards by up to an hour, a hundred times a second: as if
 * for the whole machine, without harming it. A program that links this has it when it is asked for. */
#ifndef STEPPED_CLOCK_H
#define STEPPED_CLOCK_H

#include <stdint.h>

/* Has the clock stepped in this process and in those that it starts. Before anything asks for the time. 0,
 * or an errno: ENOTSUP with a sanitizer, which has a clock_gettime of its own. */
int stepped_clock_begin(void);

/* How often this process has found the clock set otherwise than before. */
uint64_t stepped_clock_steps(void);

#endif
