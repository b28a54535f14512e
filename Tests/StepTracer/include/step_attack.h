/* Hostile acts at every instruction of what a participant does: somebody who may write the segment, as
 * any process of the same user may, changes a word of it, or cuts it off, just then.
 *
 * Whoever is in the middle of something must not die, must come to an end, must not hand out what nobody
 * published; and messages that the act does not concern still come, once. */
#ifndef STEP_ATTACK_H
#define STEP_ATTACK_H

#include "step_sweep.h"

typedef enum step_hostility {
  STEP_FLIP,     /* a word becomes each of some twenty values */
  STEP_TRUNCATE, /* the file becomes shorter, with each of its parts */
} step_hostility;

typedef enum step_defect {
  STEP_SOUND,
  /* The reader fetches a record's length twice: once to check it, once to use it. */
  STEP_DOUBLE_FETCH,
} step_defect;

/* How many acts are tried at an instruction when not all are. */
enum { STEP_ACTS_OF_A_SAMPLE = 64 };

typedef struct step_attack {
  step_hostility hostility;
  step_defect defect;
  uint64_t places;    /* at so many instructions at most, evenly spread, and there not all acts; 0: all */
  const char *field;  /* only words whose name begins so; NULL: all */
} step_attack;

/* Whether it can be tried with what does this. */
int step_can_attack(step_action action);

/* `result->points` counts the acts, `result->place` is the instruction of the first fault. 0 or an errno
 * when it cannot be tried. All acts are tried, whatever comes of them. */
int step_attack_sweep(const step_case *what, const step_attack *attack, step_result *result);

/* Tries whether a SIGBUS that has nothing to do with a segment goes to whoever handled it before there was
 * one: how many of the `*tried` did not. To be called before this process has a segment. */
uint32_t step_try_strangers(uint32_t *tried);

#endif
