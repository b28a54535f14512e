/* A storm: many publishers and subscribers of one ring, killed and stopped at random moments by the
 * thousand, and an account of each message at the end.
 *
 * Sent is what was delivered and what was reported lost, exactly: of each life of each publisher those
 * who wait for nothing to be lost get 1, 2, 3 ... as far as it has published, and who drops counts as
 * many losses as it has not got. */
#ifndef STEP_STORM_H
#define STEP_STORM_H

#include <stdint.h>

enum { STEP_STORM_PUBLISHERS = 50, STEP_STORM_SUBSCRIBERS = 5 };

typedef struct step_storm {
  uint64_t kills;   /* how many there are to be */
  uint64_t seed;
  int32_t is_alone; /* 1: one publisher at a time, which lives as short as can be, and nobody is stopped:
                     * for many lives */
  int32_t defect;   /* 1: publishers say now and then that they have sent what they have not */
} step_storm;

typedef struct step_storm_result {
  uint64_t kills;     /* of publishers */
  uint64_t deaths;    /* of subscribers whom nobody counts on */
  uint64_t stops;
  uint64_t lives;     /* of publishers, those that ended in order as well */
  uint64_t messages;  /* delivered to each of those who lose nothing */
  uint64_t lost;      /* reported by those who drop, in all */
  uint64_t files;     /* that the segment's directory has at the end */
  int64_t descriptors; /* how many more are open than before */
  char fault[200];    /* the first thing that is not as it must be; empty: everything is */
} step_storm_result;

/* Blocks until it is over. 0, or the errno of what could not even begin. */
int step_storm_run(const step_storm *storm, step_storm_result *result);

#endif
