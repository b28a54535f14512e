/* How long a death is felt. Figures, not verdicts: what must not happen at all is a fault of the sweeps. */
#ifndef STEP_STALLS_H
#define STEP_STALLS_H

#include <stdint.h>

typedef struct step_times {
  uint64_t median_ns;
  uint64_t p99_ns;
  uint64_t longest_ns;
} step_times;

typedef struct step_stalls_result {
  step_times lane;     /* from kill(2) of a publisher at full speed to somebody else's having its lane */
  step_times parents_lane; /* the same where a child that it has forked lives on */
  step_times delivery; /* from the publishing of one that dies before it wakes to a sleeper's having it */
  uint64_t published;  /* by another publisher, at full speed, while publishers were killed beside it, */
  uint64_t sleeps;     /* and how often that gave the processor away in doing so */
} step_stalls_result;

/* Each with so many deaths. 0, or the errno of what could not be tried. */
int step_stalls_measure(uint32_t kills, step_stalls_result *result);

#endif
