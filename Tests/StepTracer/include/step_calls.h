/* The whole life of a segment and of who takes part in it, in which one system call fails: each of them,
 * each with several errors.
 *
 * Who meets it must not die, must come to an end, must say so where it cannot go on, and must succeed when
 * it tries again; nothing of it may be left open, mapped or on the disk, and others go on as if nothing
 * had been. */
#ifndef STEP_CALLS_H
#define STEP_CALLS_H

#include <stdint.h>

typedef enum step_calls_defect {
  STEP_CALLS_SOUND,
  /* A segment that cannot be joined stays mapped. */
  STEP_CALLS_LEAK,
} step_calls_defect;

typedef struct step_calls_result {
  uint64_t calls;   /* system calls of a life in which none fails */
  uint64_t lives;   /* in which one did */
  uint64_t refused; /* of these: somebody could not go on at once, and said so */
  char fault[200];  /* empty: there is none */
} step_calls_result;

/* Fails every call, or `places` of them at most, evenly spread. Blocks until all are tried, or until the
 * first fault. 0, or the errno of what could not even begin. */
int step_calls_sweep(uint64_t places, step_calls_defect defect, step_calls_result *result);

/* Opens and joins a segment in a process that may have no more memory, and then again once it may: whether
 * it was told, went on, and lost no descriptor and no row. Says what was not so. To be called before this
 * process has a segment. */
int step_try_no_memory(void);

#endif
