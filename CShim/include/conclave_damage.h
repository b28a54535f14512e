/* Looking for what no participant wrote: for onlookers, and for subscribers that join. Reads only, so
 * it disturbs nobody, and it takes no live ring for a damaged one.
 */
#ifndef CONCLAVE_DAMAGE_H
#define CONCLAVE_DAMAGE_H

#include "conclave_order.h"

typedef struct conclave_damage {
  uint64_t lanes[4]; /* one bit per lane whose header makes no sense */
  uint32_t slots;    /* how many slots of the order ring make no sense */
  int32_t blocked;   /* 1: the next position cannot be published, so nothing ever will be; else 0 */
} conclave_damage;

/* O(slot_count): 50 us for 65,536 slots. Bytes of records are not looked at: who reads them sees. */
conclave_damage conclave_damage_find(const conclave_view *view);

/* Whether the slot of `position` holds neither its record, nor room for it, nor a later record, so
 * that a subscriber there would wait for ever: 1 or 0. A load when all is well. */
int conclave_position_is_blocked(const conclave_view *view, uint64_t position);

#endif
