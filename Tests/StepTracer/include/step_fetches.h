/* How often a participant fetches each shared word in one operation: what it checks and what it then uses must
 * be one value, since somebody may change the word in between. Counted by the processor's watchpoints. */
#ifndef STEP_FETCHES_H
#define STEP_FETCHES_H

#include "step_attack.h"

typedef struct step_fetch_count {
  char field[32];
  uint32_t fetches; /* without those of instructions that write it as well */
  uint32_t allowed;
} step_fetch_count;

enum { STEP_FETCH_COUNTS = 96 };

typedef struct step_fetches {
  uint32_t count;
  uint32_t unused;
  step_fetch_count counts[STEP_FETCH_COUNTS]; /* of the words that are fetched at all */
} step_fetches;

/* Counts in what does this; in the reader with `defect`, unless there is none. ENOTSUP: this machine has no
 * watchpoints for it. */
int step_count_fetches(const step_case *what, step_defect defect, step_fetches *fetches);

#endif
