#include "conclave_guard.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conclave_layout.h"
#include "conclave_process.h"

/* All that there ever were, the newest first: the handler walks them without a lock, so none is freed, but
 * those out of use are used again. */
static _Atomic(conclave_guard *) guards;

/* In the place of an address: somebody is about to use the guard. */
static const uintptr_t CLAIMED = 1;

/* Who handled SIGBUS before. Written before the handler is installed. */
static _Atomic(struct sigaction *) before;

/* MARK: The handler */

CONCLAVE_IN_HANDLER static conclave_guard *guard_of(uintptr_t address) {
  conclave_guard *guard = atomic_load_explicit(&guards, memory_order_acquire);
  for (; guard; guard = guard->next) {
    uintptr_t base = atomic_load_explicit(&guard->base, memory_order_acquire);
    /* In a forked child something else may lie there. */
    if (base > CLAIMED && address - base < guard->bytes &&
        guard->process_generation == conclave_process_generation()) {
      return guard;
    }
  }
  return NULL;
}

/* Made elsewhere and then moved, so that no other thread sees it unfinished. 1: it is in place. By the
 * system calls themselves, since sanitizers stand in for the functions. */
CONCLAVE_IN_HANDLER static int take_place(const conclave_guard *guard, uintptr_t base) {
  uint8_t *made = (uint8_t *)syscall(SYS_mmap, NULL, guard->bytes, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (made == MAP_FAILED) return 0;
  _Atomic uint64_t *tail = (void *)(made + guard->tail);
  atomic_store_explicit(tail, UINT64_MAX, memory_order_relaxed);
  for (uint32_t lane = 0; lane < guard->lane_count; lane++) {
    conclave_lane_header *header =
        (void *)(made + guard->lane_headers + (size_t)lane * CONCLAVE_LANE_HEADER_BYTES);
    atomic_store_explicit(&header->reserve, UINT64_MAX, memory_order_relaxed);
  }
  void *moved = (void *)syscall(SYS_mremap, made, guard->bytes, guard->bytes,
                                MREMAP_MAYMOVE | MREMAP_FIXED, (void *)base);
  if (moved == MAP_FAILED) syscall(SYS_munmap, made, guard->bytes);
  return moved != MAP_FAILED;
}

CONCLAVE_IN_HANDLER static void pass_on(int signal, siginfo_t *information, void *context) {
  const struct sigaction *other = atomic_load_explicit(&before, memory_order_acquire);
  if (other->sa_flags & SA_SIGINFO) return other->sa_sigaction(signal, information, context);
  if (other->sa_handler != SIG_DFL && other->sa_handler != SIG_IGN) {
    return other->sa_handler(signal);
  }
  int is_sent = information->si_code <= 0;
  if (is_sent && other->sa_handler == SIG_IGN) return;
  struct sigaction none = {.sa_handler = SIG_DFL};
  sigaction(SIGBUS, &none, NULL);
  /* Otherwise the instruction runs into it again, and that cannot be ignored. */
  if (is_sent) raise(signal);
}

CONCLAVE_IN_HANDLER static void on_bus_error(int signal, siginfo_t *information, void *context) {
  int saved = errno;
  conclave_guard *guard = NULL;
  if (information->si_code == BUS_ADRERR) guard = guard_of((uintptr_t)information->si_addr);
  if (guard) {
    atomic_store_explicit(&guard->lost, 1, memory_order_seq_cst);
    uintptr_t base = atomic_load_explicit(&guard->base, memory_order_relaxed);
    if (!take_place(guard, base)) guard = NULL;
  }
  if (!guard) pass_on(signal, information, context);
  errno = saved;
}

/* MARK: Installing */

/* A handler of somebody else's that came later is left where it is. Threads that come here at once
 * install the same. */
static int install(void) {
  struct sigaction current;
  if (sigaction(SIGBUS, NULL, &current) != 0) return errno;
  int is_taken = (current.sa_flags & SA_SIGINFO) ||
                 (current.sa_handler != SIG_DFL && current.sa_handler != SIG_IGN);
  struct sigaction *first = NULL;
  if (!atomic_load_explicit(&before, memory_order_acquire)) {
    struct sigaction *kept = malloc(sizeof(*kept));
    if (!kept) return ENOMEM;
    *kept = current;
    if (!atomic_compare_exchange_strong_explicit(&before, &first, kept, memory_order_acq_rel,
                                                 memory_order_acquire)) {
      free(kept);
    }
  } else if (is_taken) {
    return 0;
  }
  struct sigaction action = {.sa_sigaction = on_bus_error,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART};
  return sigaction(SIGBUS, &action, NULL) == 0 ? 0 : errno;
}

static int claim(conclave_guard *guard) {
  uintptr_t none = 0;
  return atomic_compare_exchange_strong_explicit(&guard->base, &none, CLAIMED,
                                                 memory_order_acq_rel, memory_order_relaxed);
}

/* One that nobody else uses. No lock, which a child that is forked meanwhile would wait for for ever. */
static conclave_guard *take_guard(void) {
  conclave_guard *first = atomic_load_explicit(&guards, memory_order_acquire);
  for (conclave_guard *guard = first; guard; guard = guard->next) {
    if (claim(guard)) return guard;
  }
  conclave_guard *guard = calloc(1, sizeof(*guard));
  if (!guard) return NULL;
  atomic_init(&guard->base, CLAIMED);
  guard->next = first;
  while (!atomic_compare_exchange_weak_explicit(&guards, &guard->next, guard, memory_order_acq_rel,
                                                memory_order_relaxed)) {
  }
  return guard;
}

conclave_guard *conclave_guard_begin(void *base, uint64_t bytes, uint64_t tail,
                                     uint64_t lane_headers, uint32_t lane_count) {
  conclave_guard *guard = install() == 0 ? take_guard() : NULL;
  if (!guard) return NULL;
  guard->bytes = bytes;
  guard->tail = tail;
  guard->lane_headers = lane_headers;
  guard->lane_count = lane_count;
  guard->process_generation = conclave_process_generation();
  atomic_store_explicit(&guard->lost, 0, memory_order_relaxed);
  atomic_store_explicit(&guard->base, (uintptr_t)base, memory_order_release);
  return guard;
}

void conclave_guard_end(conclave_guard *guard) {
  atomic_store_explicit(&guard->base, 0, memory_order_release);
}
