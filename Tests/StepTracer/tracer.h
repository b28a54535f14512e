/* What both ways of stepping need of ptrace. */
#ifndef STEP_TRACER_INSIDE_H
#define STEP_TRACER_INSIDE_H

#include <stdint.h>
#include <sys/types.h>

/* Where somebody stands: two places are the same when both the next instruction and the stack are. */
typedef struct tracer_place {
  uint64_t instruction;
  uint64_t stack;
} tracer_place;

int tracer_place_of(pid_t child, tracer_place *at);

/* Taking turns on one core is faster by half than waking another one. */
void tracer_bind_to_one_core(void);

/* 1 when the last SIGTRAP was a mark's, and not that of a step. */
int tracer_is_mark(pid_t child);

/* Where the processor stops on a mark, not behind it. */
int tracer_pass_mark(pid_t child);

#endif
