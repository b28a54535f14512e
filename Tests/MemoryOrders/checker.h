/* A checker of memory orders: the shim's own code, compiled against another memory.
 *
 * Each atomic access is a step. Between steps the checker decides which thread goes on, and a
 * load may return any message of its location that is not older than what its thread has seen:
 * acquire, release, sequentially consistent accesses and fences move such views from thread to
 * thread, as in C11's operational models. What is stored may come before what others stored
 * earlier, of which the thread has seen nothing. Choices are replayed depth first.
 *
 * Included before the shim's headers, it defines the generic functions of <stdatomic.h> anew. */
#ifndef ORDERS_CHECKER_H
#define ORDERS_CHECKER_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct orders_site {
  const char *file;
  const char *function;
  const char *what;
  const char *place; /* the address, as the code has it; of a fence "" */
  struct orders_site *next;
  struct orders_site *first; /* of those that stand for the same place; NULL: not known yet */
  int line;
  int order;
  int weak;
  uint64_t scenarios; /* of the first: each `orders_running` in which it was reached */
} orders_site;

uint64_t orders_load(const volatile void *address, unsigned bytes, int order, orders_site *site);
void orders_store(volatile void *address, unsigned bytes, uint64_t value, int order,
                  orders_site *site);
int orders_swap(volatile void *address, unsigned bytes, uint64_t *expected, uint64_t value,
                int order, orders_site *site);
uint64_t orders_change(volatile void *address, unsigned bytes, char operation, uint64_t operand,
                       int order, orders_site *site);
void orders_fence(int order, orders_site *site);

/* In a section of their own, so that those can be listed to which nobody comes. */
#define ORDERS_SITE(what, place, order) \
  static orders_site site_ __attribute__((section("orders_places"), used)) = { \
      __FILE__, __func__, what, place, 0, 0, __LINE__, (order), 0, 0}

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_and_explicit
#undef atomic_exchange_explicit
#undef atomic_thread_fence

#define atomic_load_explicit(p, order) \
  ({ ORDERS_SITE("load", #p, order); orders_load((p), sizeof(*(p)), (order), &site_); })
#define atomic_store_explicit(p, value, order) \
  ({ ORDERS_SITE("store", #p, order); orders_store((p), sizeof(*(p)), (uint64_t)(value), (order), &site_); })
#define atomic_compare_exchange_strong_explicit(p, expected, value, order, failure) \
  ({ ORDERS_SITE("swap", #p, order); uint64_t seen_ = *(expected); \
     int swapped_ = orders_swap((p), sizeof(*(p)), &seen_, (uint64_t)(value), (order), &site_); \
     *(expected) = (__typeof__(*(expected)))seen_; swapped_; })
#define atomic_compare_exchange_weak_explicit atomic_compare_exchange_strong_explicit
#define atomic_fetch_add_explicit(p, value, order) \
  ({ ORDERS_SITE("add", #p, order); \
     (__typeof__(value))orders_change((p), sizeof(*(p)), '+', (uint64_t)(value), (order), \
                                      &site_); })
#define atomic_fetch_and_explicit(p, value, order) \
  ({ ORDERS_SITE("and", #p, order); \
     orders_change((p), sizeof(*(p)), '&', (uint64_t)(value), (order), &site_); })
#define atomic_exchange_explicit(p, value, order) \
  ({ ORDERS_SITE("exchange", #p, order); \
     orders_change((p), sizeof(*(p)), '=', (uint64_t)(value), (order), &site_); })
#define atomic_thread_fence(order) ({ ORDERS_SITE("fence", "", order); orders_fence((order), &site_); })

/* What the kernel does: everything before it comes before everything after it. */
void orders_kernel(void);
void orders_sleep(const volatile void *word, uint32_t value);
void orders_wake(const volatile void *word);

/* A scenario: sets memory up, then runs its threads until all have ended. `orders_expect` fails
 * it. */
typedef struct orders_scenario {
  const char *name;
  void (*prepare)(void);
  void (*threads[3])(void);
  int mortal; /* number of the thread that may die at any step, plus 1; 0: none */
  int fewer;  /* changes of thread than in others */
} orders_scenario;

/* For `prepare`: `thread` does all that `body` does, or, if `until` is not NULL, dies just before it comes to
 * the place of that name; nobody else runs meanwhile, and each load returns the newest. The other threads
 * need not have seen any of it. */
void orders_before(unsigned thread, void (*body)(void), const char *until);

unsigned orders_thread(void);
/* Called when a thread has died: defined with the locks. */
void orders_died(unsigned thread);
void orders_expect(int holds, const char *what);

typedef struct orders_result {
  uint64_t executions;
  const char *failure; /* NULL: none */
  int whole;           /* every execution within the bounds was gone through */
  int unused;
} orders_result;

/* At most `limit` executions, each with at most `switches` changes of the thread that could go
 * on, or of these as many `fewer` as the scenario says. */
orders_result orders_explore(const orders_scenario *scenario, uint64_t limit, int switches);

/* Those that were reached. */
extern orders_site *orders_sites;

/* Whether this one was, or another that stands for the same place. */
int orders_is_reached(const orders_site *site);

/* Set before exploring: a bit for the scenario. */
extern uint64_t orders_running;

/* Replaces the order of one place. */
void orders_weaken(const orders_site *one, int order);

#endif
