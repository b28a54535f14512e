/* What the victim does, each time in a process of its own. */
#ifndef STEP_VICTIM_H
#define STEP_VICTIM_H

#include "step_sweep.h"
#include "step_world.h"

/* What it tells of itself, in memory that it shares with the tracer. */
typedef struct victim_report {
  int32_t failure;    /* of joining */
  int32_t outcome;    /* of receiving: a conclave_outcome */
  step_message message;
  uint32_t is_ready;   /* whether it has come to its first mark */
  uint32_t damaged;   /* of what it has received since */
  uint32_t withheld;  /* lanes in which publishers wait for nothing */
} victim_report;

typedef struct victim {
  const step_world *world;
  const step_case *what;
  victim_report *report;
} victim;

/* The body of the process, by its action. */
void victim_act(void *victim);

#endif
