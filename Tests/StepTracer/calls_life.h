/* A life in which every part of the shim takes part that makes system calls. */
#ifndef STEP_CALLS_LIFE_H
#define STEP_CALLS_LIFE_H

#include "step_calls.h"
#include "step_world.h"

enum { CALLS_PUBLISHED = 3 };

/* What it tells of itself, in memory that it shares with the tracer. */
typedef struct calls_report {
  uint32_t refused; /* deeds that failed and were done again */
  int32_t failure;  /* of a deed that fails whenever it is done again; */
  uint32_t deed;    /* this one */
  uint32_t wrong;   /* messages that nobody published, that did not come, or that came twice */
} calls_report;

typedef struct calls_life {
  step_world world;  /* with survivors: publishes CALLS_PUBLISHED messages there, as STEP_VICTIM */
  step_world own;    /* an empty directory, and again at the end */
  calls_report *report;
  step_calls_defect defect;
  uint32_t unused;
} calls_life;

/* The body of the process, with its two marks. */
void calls_live(void *life);

#endif
