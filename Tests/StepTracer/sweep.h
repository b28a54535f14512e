/* One world, and one victim after the other. */
#ifndef STEP_ONE_SWEEP_H
#define STEP_ONE_SWEEP_H

#include <sys/types.h>

#include "step_sweep.h"
#include "victim.h"

typedef struct sweep {
  const step_case *what;
  step_world world;
  victim_report *report;
  pid_t child;
  int32_t at_end;        /* the victim has come to its second mark */
  uint64_t steps;        /* of the victim, so far */
  int32_t is_second;     /* another victim died just before, and left its place */
  uint32_t is_committed; /* the victim's message was seen when it died earlier */
  uint32_t laps;         /* rounds of messages that are two laps of the ring's 64 slots, and of lanes */
  uint32_t unused;
} sweep;

/* 0 or an errno. */
int sweep_begin(sweep *sweep, const step_case *what);
void sweep_end(sweep *sweep);

/* A victim at its first mark, and what it needs to be about to do its deed. */
int sweep_victim(sweep *sweep, uint64_t place);

/* Lets it execute so many instructions more. */
int sweep_step(sweep *sweep, uint64_t count);

/* The victim is dead, and `place` says what is tried of the ways to go on. */
void sweep_judge_death(sweep *sweep, uint64_t place);

/* It is stopped: the others go on, then it does. 0 or why it could not end. */
int sweep_judge_stop(sweep *sweep);

/* Publishes until there is no room, whatever the victim is doing. Returns whether there is none. */
int sweep_fill(sweep *sweep);

/* Of those that keep: what the victim needs, and judgement. */
int sweep_is_about_keeping(step_action action);
int sweep_prepare_keeping(sweep *sweep, uint64_t place);
void sweep_judge_heir(sweep *sweep);
int sweep_judge_stopped_keeper(sweep *sweep);

/* Both survivors get what the victim has published, if it has. Returns whether it has. */
int sweep_take_message(sweep *sweep);

#endif
