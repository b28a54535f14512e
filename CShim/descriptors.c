#include "conclave_descriptors.h"

#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

enum { BITS = 64, WORDS = 1024, LIMIT = BITS * WORDS };

/* A bit per descriptor. Relaxed: fork itself orders what the child sees, and a descriptor is one thread's
 * before it is everybody's. */
static _Atomic uint64_t guarded[WORDS];

static int is_tracked(int descriptor) { return descriptor >= 0 && descriptor < LIMIT; }

static uint64_t bit_of(int descriptor) { return UINT64_C(1) << ((uint32_t)descriptor % BITS); }

void conclave_descriptor_guard(int descriptor) {
  if (!is_tracked(descriptor)) return;
  atomic_fetch_or_explicit(&guarded[descriptor / BITS], bit_of(descriptor), memory_order_relaxed);
}

void conclave_descriptor_forget(int descriptor) {
  if (!is_tracked(descriptor)) return;
  atomic_fetch_and_explicit(&guarded[descriptor / BITS], ~bit_of(descriptor), memory_order_relaxed);
}

void conclave_descriptor_end(int descriptor, int is_own) {
  /* The number may be somebody else's by now. */
  if (!is_own && is_tracked(descriptor)) return;
  conclave_descriptor_forget(descriptor);
  close(descriptor);
}

void conclave_descriptors_close_inherited(void) {
  for (int word = 0; word < WORDS; word++) {
    uint64_t bits = atomic_exchange_explicit(&guarded[word], 0, memory_order_relaxed);
    for (; bits; bits &= bits - 1) close(word * BITS + __builtin_ctzll(bits));
  }
}
