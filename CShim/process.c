#include "conclave_process.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "conclave_clock.h"
#include "conclave_descriptors.h"
#include "conclave_steady.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Atomic uint32_t process_id;
static _Atomic uint64_t generation;
static _Atomic uint64_t next_id;
static _Atomic uint64_t last_incarnation;

/* The pid is stored last: whoever finds it finds the rest. */
static void begin(void) {
  atomic_store_explicit(&next_id, conclave_realtime_ns(), memory_order_relaxed);
  atomic_store_explicit(&process_id, (uint32_t)getpid(), memory_order_release);
}

static void in_child(void) {
  conclave_descriptors_close_inherited();
  atomic_fetch_add_explicit(&generation, 1, memory_order_relaxed);
  begin();
}

static void first(void) {
  pthread_atfork(NULL, NULL, in_child);
  begin();
}

CONCLAVE_IN_HANDLER static uint32_t process(void) {
  uint32_t known = atomic_load_explicit(&process_id, memory_order_acquire);
  if (__builtin_expect(known != 0, 1)) return known;
  pthread_once(&once, first);
  return atomic_load_explicit(&process_id, memory_order_acquire);
}

uint32_t conclave_process_id(void) { return process(); }

CONCLAVE_IN_HANDLER uint64_t conclave_process_generation(void) {
  process();
  return atomic_load_explicit(&generation, memory_order_relaxed);
}

uint64_t conclave_process_take_ids(uint64_t count) {
  process();
  return atomic_fetch_add_explicit(&next_id, count, memory_order_relaxed);
}

uint64_t conclave_process_new_incarnation(void) {
  uint64_t seen = atomic_load_explicit(&last_incarnation, memory_order_relaxed);
  uint64_t wanted;
  do {
    uint64_t now = conclave_steady_us();
    wanted = now > seen ? now : seen + 1;
  } while (!atomic_compare_exchange_weak_explicit(&last_incarnation, &seen, wanted,
                                                  memory_order_relaxed, memory_order_relaxed));
  return wanted;
}
