/* A flag that one thread raises and others look at, at an address that does not change: the cancel
 * flag of publishers that wait. Never lowered. */
#ifndef CONCLAVE_FLAG_H
#define CONCLAVE_FLAG_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct conclave_flag {
  _Atomic uint32_t raised;
} conclave_flag;

static inline void conclave_flag_init(conclave_flag *flag) { atomic_init(&flag->raised, 0); }

/* Pairs with the load in conclave_flag_is_raised: what came before is visible to who sees it. */
static inline void conclave_flag_raise(conclave_flag *flag) {
  atomic_store_explicit(&flag->raised, 1, memory_order_release);
}

static inline int conclave_flag_is_raised(const conclave_flag *flag) {
  return (int)atomic_load_explicit(&flag->raised, memory_order_acquire);
}

#endif
