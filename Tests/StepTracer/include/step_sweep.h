/* Death and stopping at every instruction of what a participant does with the ring. */
#ifndef STEP_SWEEP_H
#define STEP_SWEEP_H

#include <stdint.h>

/* What the victim does. */
typedef enum step_action {
  STEP_PUBLISH,   /* publishes a message and wakes */
  STEP_JOIN,      /* claims a lane */
  STEP_LEAVE,     /* gives it back */
  STEP_RECEIVE,   /* receives one message, dropping, and says how far it is */
  STEP_CONSUME,   /* the same with back pressure */
  STEP_SUBSCRIBE, /* joins, dropping */
  STEP_ENTER,     /* joins with back pressure */
  STEP_DEPART,    /* ends a subscription with back pressure */
  STEP_KEEP,      /* as the mirror: receives all that there is, says that it is kept, gives it back */
  STEP_SUCCEED,   /* takes over from one that died doing so, and does the same */
  STEP_RESIGN,    /* leaves its place to a successor */
  STEP_ACTIONS,
} step_action;

const char *step_action_name(step_action action);

typedef struct step_case {
  step_action action;
  uint32_t bytes;    /* of a message that it publishes or receives */
  uint32_t before;   /* messages that it has published before, or that lie in the ring */
  uint32_t asleep;   /* 1: somebody has announced that it sleeps until there is a message */
} step_case;

typedef struct step_result {
  uint64_t points;   /* places at which it died or stopped */
  uint64_t length;   /* instructions of the whole */
  uint64_t place;    /* of the first fault */
  uint64_t faults;   /* of hostile acts, which are all tried: those that had one; of these */
  uint64_t deaths;   /* who was concerned died, */
  uint64_t hangs;    /* or came to no end, */
  uint64_t wrongs;   /* or did what it must not */
  uint64_t believed; /* no fault: records that nobody published and that nothing tells from such */
  uint64_t stalled;  /* no fault: acts after which messages wait behind a slot that says there is none */
  uint64_t longest_ns; /* processor time from the act to the deed's end */
  char fault[200];   /* the first; empty: none */
} step_result;

/* Kills a victim at every instruction, or at so many of them, evenly spread; the others go on at once.
 * 0 or an errno when it cannot be tried. Since each victim is stepped from the beginning, O(length) steps
 * for each place. */
int step_kill_sweep(const step_case *what, uint64_t places, step_result *result);

/* Judges, behind each instruction of a victim, a copy of the world as it would be if the victim died just
 * then; and that with one victim after the other until there are `points` such moments. Memory is what it
 * would be, and so are locks; what is left out is the kernel's giving them back. */
int step_snapshot_sweep(const step_case *what, uint64_t points, step_result *result);

/* Kills a victim, and judges a copy behind each instruction of a second one that comes after it; and that at
 * every instruction of the first, or at so many of them. `result->points` counts the pairs. */
int step_pair_sweep(const step_case *first, const step_case *second, uint64_t places,
                    step_result *result);

/* The same of the creation of a segment: kills whoever makes it, or lets another one make it meanwhile. */
int step_creation_sweep(uint64_t places, int kills, step_result *result);

/* Stops it there while the others go two laps, and lets it go on. */
int step_stop_sweep(const step_case *what, uint64_t places, step_result *result);

/* Whether what a process held is free when it is killed, though a child that it has forked lives on: 1 or 0, or
 * -1 when it cannot be tried. */
int step_forks_hold_nothing(void);

#endif
