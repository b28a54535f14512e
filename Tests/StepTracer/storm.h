/* What the parent of a storm and its children share. */
#ifndef STORM_H
#define STORM_H

#include "step_storm.h"
#include "step_world.h"

enum {
  STORM_LIVES = 8192,  /* of one publisher, at most */
  STORM_PATIENT = 2,   /* the first so many subscribers lose nothing, the others drop */
  STORM_VICTIMS = 3,   /* subscribers that are killed: the first one drops */
  STORM_KEEPER = STEP_STORM_PUBLISHERS + STEP_STORM_SUBSCRIBERS + STORM_VICTIMS,
  STORM_PLACES = STORM_KEEPER + 1,
  STORM_ACCOUNTS = STEP_STORM_SUBSCRIBERS + 1, /* the last one is the keeper's */
  STORM_POSITIONS = 1 << 25, /* of memory only what is used is there */
};

/* In the place of a message: it was reported lost. */
static const uint32_t STORM_LOST = UINT32_MAX;

/* One life of a publisher, by its own account. */
typedef struct storm_life {
  _Atomic uint32_t tried; /* raised before a message is published, */
  _Atomic uint32_t sent;  /* and behind that */
} storm_life;

/* What one subscriber has got. */
typedef struct storm_account {
  _Atomic uint64_t begun;   /* it has joined */
  _Atomic uint64_t records;
  _Atomic uint64_t lost;
  _Atomic uint64_t damaged;
  _Atomic uint64_t positions; /* from its first to its last */
  uint64_t origin;            /* the ring's first */
  _Atomic uint32_t is_wrong;  /* what was delivered is not what anybody published, */
  _Atomic uint32_t is_late;   /* or not in order */
  _Atomic uint32_t failure;
  uint32_t unused;
  _Atomic uint32_t got[STEP_STORM_PUBLISHERS][STORM_LIVES];
  uint32_t last[STEP_STORM_PUBLISHERS][STORM_LIVES];
  uint32_t heard[STORM_POSITIONS]; /* of each position from there which message, by a hash, or
                                     STORM_LOST */
} storm_account;

/* Memory that all share and that is none of the ring's. */
typedef struct storm_ledger {
  _Atomic uint32_t is_ending;   /* publishers leave */
  _Atomic uint32_t is_draining; /* and then subscribers, once they have all */
  _Atomic uint32_t refusals;    /* publishers that got no lane */
  uint32_t unused;
  uint32_t lives[STEP_STORM_PUBLISHERS];
  storm_life life[STEP_STORM_PUBLISHERS][STORM_LIVES];
  storm_account account[STORM_ACCOUNTS];
} storm_ledger;

typedef struct storm_child {
  const step_world *world;
  storm_ledger *ledger;
  const step_storm *storm;
  uint64_t seed;
  uint32_t index;
  uint32_t life;
} storm_child;

uint64_t storm_random(uint64_t *state);

/* They do not return. */
_Noreturn void storm_publish(storm_child self);
_Noreturn void storm_receive(storm_child self);
_Noreturn void storm_suffer(storm_child self);
/* As the mirror does: what it has not said to be kept comes again to the one that follows it. */
_Noreturn void storm_keep(storm_child self);

#endif
