#include "checker.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { LOCATIONS = 96, MESSAGES = 48, THREADS = 3, DEPTH = 4096, STACK = 65536, TABLE = 256 };

typedef struct view { uint8_t at[LOCATIONS]; } view;
typedef struct message {
  uint64_t value;
  view seen;
  int follows; /* what stored it has read the one before: nothing comes in between */
} message;
typedef struct location {
  const volatile void *address;
  unsigned count;
  message messages[MESSAGES];
} location;
typedef struct thread {
  view seen, to_acquire, released;
  jmp_buf context;
  const volatile void *asleep_on;
  void (*body)(void);
  int started, ended;
} thread;

orders_site *orders_sites;
uint64_t orders_running;
static int orders_weak_order;

static location locations[LOCATIONS];
static unsigned location_count;
static uint8_t table[TABLE];
static thread threads[THREADS];
static char stacks[THREADS][STACK] __attribute__((aligned(64)));
static unsigned thread_count, current;
static view consistent;
static jmp_buf scheduler;
static uint16_t chosen[DEPTH], options[DEPTH];
static unsigned depth, known_depth;
static int switches_left;
static const char *failure;
static int mortal;
static int preparing;
static const char *stop_at;
static jmp_buf stopped;

void orders_expect(int holds, const char *what) {
  if (!holds && !failure) failure = what;
  if (!holds) _longjmp(scheduler, 1);
}

static unsigned choose(unsigned count) {
  if (count <= 1) return 0;
  orders_expect(depth < DEPTH, "it goes on for ever");
  if (depth == known_depth) { chosen[depth] = 0; options[depth] = (uint16_t)count; known_depth++; }
  return chosen[depth++];
}

static void join(view *into, const view *from) {
  for (int i = 0; i < LOCATIONS; i++) {
    if (from->at[i] > into->at[i]) into->at[i] = from->at[i];
  }
}

static uint64_t raw(const volatile void *address, unsigned bytes) {
  if (bytes == 4) return *(const volatile uint32_t *)address;
  return *(const volatile uint64_t *)address;
}

static unsigned find(const volatile void *address, unsigned bytes) {
  unsigned place = (unsigned)((uintptr_t)address / 4 * 40503u) % TABLE;
  while (table[place]) {
    if (locations[table[place] - 1].address == address) return table[place] - 1u;
    place = (place + 1) % TABLE;
  }
  if (location_count == LOCATIONS) { fprintf(stderr, "too many locations\n"); exit(2); }
  unsigned index = location_count++;
  table[place] = (uint8_t)(index + 1);
  location *found = &locations[index];
  found->address = address;
  found->count = 1;
  found->messages[0] = (message){.value = raw(address, bytes)};
  return index;
}

static void fence(int order);

/* The kernel frees its locks: whoever takes one comes after all that it did. */
static void die(void) {
  fence(memory_order_seq_cst);
  orders_died(current);
}

/* Goes on with another thread, if the choice falls on one. */
static void step(int must) {
  if (preparing) return;
  thread *me = &threads[current];
  unsigned can[THREADS + 1], count = 0;
  if (!must) can[count++] = current;
  if (must || switches_left > 0) {
    for (unsigned i = 0; i < thread_count; i++) {
      if (i != current && !threads[i].ended && !threads[i].asleep_on) can[count++] = i;
    }
  }
  if (!must && mortal == (int)current) can[count++] = THREADS;
  if (count == 0) {
    int all = 1;
    for (unsigned i = 0; i < thread_count; i++) all = all && threads[i].ended;
    orders_expect(all, "everybody sleeps");
    _longjmp(scheduler, 1);
  }
  unsigned next = can[choose(count)];
  if (next == current) return;
  if (next == THREADS) {
    /* Dies here. */
    mortal = -1;
    me->ended = 1;
    die();
    step(1);
  }
  if (!must) switches_left--;
  if (!me->ended && _setjmp(me->context)) return;
  current = next;
  if (threads[next].started) _longjmp(threads[next].context, 1);
  _longjmp(scheduler, 2);
}

static int is_same(const orders_site *a, const orders_site *b) {
  return a->line == b->line && strcmp(a->what, b->what) == 0 && strcmp(a->place, b->place) == 0 &&
         strcmp(a->file, b->file) == 0;
}

/* Functions in headers exist once for each file that includes them: the first stands for all. */
static void note(orders_site *site) {
  site->first = site;
  for (orders_site *other = orders_sites; other; other = other->next) {
    if (!is_same(site, other)) continue;
    site->first = other->first;
    site->weak = other->weak;
  }
  site->next = orders_sites;
  orders_sites = site;
}

int orders_is_reached(const orders_site *site) {
  for (const orders_site *other = orders_sites; other; other = other->next) {
    if (is_same(site, other)) return 1;
  }
  return 0;
}

void orders_weaken(const orders_site *one, int order) {
  orders_weak_order = order;
  for (orders_site *site = orders_sites; site; site = site->next) site->weak = is_same(site, one);
}

static int order_at(int order, orders_site *site) {
  if (stop_at && strcmp(site->place, stop_at) == 0) _longjmp(stopped, 1);
  if (!site->first) note(site);
  site->first->scenarios |= orders_running;
  return site->weak ? orders_weak_order : order;
}

static int is_both(int order) {
  return order == memory_order_acq_rel || order == memory_order_seq_cst;
}
static int acquires(int order) { return order == memory_order_acquire || is_both(order); }
static int releases(int order) { return order == memory_order_release || is_both(order); }

static void take(thread *me, const message *from, int order) {
  join(&me->to_acquire, &from->seen);
  if (acquires(order)) join(&me->seen, &from->seen);
}

static unsigned oldest_for(unsigned index, int order) {
  unsigned seen = threads[current].seen.at[index], all = consistent.at[index];
  return order == memory_order_seq_cst && all > seen ? all : seen;
}

uint64_t orders_load(const volatile void *address, unsigned bytes, int order, orders_site *site) {
  order = order_at(order, site);
  step(0);
  thread *me = &threads[current];
  unsigned index = find(address, bytes);
  location *place = &locations[index];
  /* The newest first. */
  unsigned readable = place->count - oldest_for(index, order);
  unsigned at = place->count - 1 - (preparing ? 0 : choose(readable));
  me->seen.at[index] = (uint8_t)at;
  take(me, &place->messages[at], order);
  return place->messages[at].value;
}

/* Of all views: what came at `at` or later comes one later. */
static void shift(view *of, unsigned index, unsigned at) { of->at[index] += of->at[index] >= at; }

static void make_room(unsigned index, unsigned at) {
  location *place = &locations[index];
  memmove(&place->messages[at + 1], &place->messages[at], (place->count - at) * sizeof(message));
  shift(&consistent, index, at);
  for (unsigned i = 0; i < THREADS; i++) {
    shift(&threads[i].seen, index, at);
    shift(&threads[i].to_acquire, index, at);
    shift(&threads[i].released, index, at);
  }
  for (unsigned i = 0; i < location_count; i++) {
    for (unsigned j = 0; j < locations[i].count + (i == index); j++) {
      shift(&locations[i].messages[j].seen, index, at);
    }
  }
}

static void insert(unsigned index, unsigned at, uint64_t value, int order, int follows) {
  thread *me = &threads[current];
  location *place = &locations[index];
  orders_expect(place->count < MESSAGES, "it goes on for ever");
  if (at < place->count) make_room(index, at);
  place->count++;
  me->seen.at[index] = (uint8_t)at;
  message *new = &place->messages[at];
  new->value = value;
  new->follows = follows;
  new->seen = releases(order) ? me->seen : me->released;
  new->seen.at[index] = (uint8_t)at;
  if (follows) join(&new->seen, &place->messages[at - 1].seen);
  if (order == memory_order_seq_cst) consistent.at[index] = (uint8_t)at;
}

/* A store need not be the last: of what its thread has not seen each may come behind it. Which of those
 * places it is: the last first. */
void orders_store(volatile void *address, unsigned bytes, uint64_t value, int order,
                  orders_site *site) {
  order = order_at(order, site);
  step(0);
  unsigned index = find(address, bytes), count = 0;
  location *place = &locations[index];
  unsigned places[MESSAGES + 1];
  places[count++] = place->count;
  for (unsigned at = place->count; !preparing && --at > oldest_for(index, order);) {
    if (!place->messages[at].follows) places[count++] = at;
  }
  insert(index, places[choose(count)], value, order, 0);
}

/* Who reads and writes at once reads the last message, or any that its thread may still read and behind which
 * it may write, if `expected` is NULL or what that says. */
static unsigned choose_read(unsigned index, int order, const uint64_t *expected) {
  location *place = &locations[index];
  unsigned places[MESSAGES], count = 0, last = place->count - 1;
  places[count++] = last;
  for (unsigned at = last; !preparing && at-- > oldest_for(index, order);) {
    if (place->messages[at + 1].follows) continue;
    if (!expected || place->messages[at].value == *expected) places[count++] = at;
  }
  return places[choose(count)];
}

int orders_swap(volatile void *address, unsigned bytes, uint64_t *expected, uint64_t value,
                int order, orders_site *site) {
  order = order_at(order, site);
  step(0);
  unsigned index = find(address, bytes);
  unsigned at = choose_read(index, order, expected);
  message *read = &locations[index].messages[at];
  int same = read->value == *expected;
  *expected = read->value;
  thread *me = &threads[current];
  me->seen.at[index] = (uint8_t)at;
  take(me, read, same ? order : memory_order_relaxed);
  if (same) insert(index, at + 1, value, order, 1);
  return same;
}

uint64_t orders_change(volatile void *address, unsigned bytes, char operation, uint64_t operand,
                       int order, orders_site *site) {
  order = order_at(order, site);
  step(0);
  unsigned index = find(address, bytes);
  unsigned at = choose_read(index, order, NULL);
  message *read = &locations[index].messages[at];
  uint64_t old = read->value;
  take(&threads[current], read, order);
  uint64_t new = operation == '+' ? old + operand : operation == '&' ? old & operand : operand;
  if (bytes == 4) new = (uint32_t)new;
  insert(index, at + 1, new, order, 1);
  return old;
}

static void fence(int order) {
  thread *me = &threads[current];
  if (acquires(order)) join(&me->seen, &me->to_acquire);
  if (order == memory_order_seq_cst) {
    join(&me->seen, &consistent);
    join(&consistent, &me->seen);
  }
  if (releases(order)) me->released = me->seen;
}

void orders_fence(int order, orders_site *site) {
  order = order_at(order, site);
  step(0);
  fence(order);
}

void orders_sleep(const volatile void *word, uint32_t value) {
  step(0);
  unsigned index = find(word, 4);
  if (locations[index].messages[locations[index].count - 1].value != value) return;
  threads[current].asleep_on = word;
  step(1);
}

void orders_wake(const volatile void *word) {
  step(0);
  for (unsigned i = 0; i < thread_count; i++) {
    if (threads[i].asleep_on == word) threads[i].asleep_on = NULL;
  }
}

unsigned orders_thread(void) { return current; }

void orders_before(unsigned thread, void (*body)(void), const char *until) {
  current = thread;
  stop_at = until;
  if (_setjmp(stopped) == 0) {
    body();
    if (until) { fprintf(stderr, "nobody comes to %s\n", until); exit(2); }
    return;
  }
  stop_at = NULL;
  die();
}

void orders_kernel(void) {
  step(0);
  fence(memory_order_seq_cst);
}

static void run_current(void) {
  threads[current].started = 1;
  threads[current].body();
  threads[current].ended = 1;
  step(1);
}

static void execute(const orders_scenario *scenario, int switches) {
  location_count = 0;
  memset(table, 0, sizeof(table));
  memset(threads, 0, sizeof(threads));
  memset(&consistent, 0, sizeof(consistent));
  depth = 0;
  switches_left = switches;
  preparing = 1;
  scenario->prepare();
  preparing = 0;
  mortal = scenario->mortal - 1;
  for (thread_count = 0; thread_count < THREADS; thread_count++) {
    if (!scenario->threads[thread_count]) break;
    threads[thread_count].body = scenario->threads[thread_count];
  }
  static ucontext_t main_context, contexts[THREADS];
  volatile int first = 1;
  int reason = _setjmp(scheduler);
  if (reason == 1) return;
  if (first) { first = 0; current = choose(thread_count); }
  getcontext(&contexts[current]);
  contexts[current].uc_stack.ss_sp = stacks[current];
  contexts[current].uc_stack.ss_size = STACK;
  contexts[current].uc_link = NULL;
  makecontext(&contexts[current], run_current, 0);
  swapcontext(&main_context, &contexts[current]);
}

orders_result orders_explore(const orders_scenario *scenario, uint64_t limit, int switches) {
  orders_result result = {0};
  failure = NULL;
  known_depth = 0;
  while (result.executions < limit) {
    execute(scenario, switches - scenario->fewer);
    result.executions++;
    if (failure) { result.failure = failure; return result; }
    known_depth = depth;
    while (known_depth > 0 && chosen[known_depth - 1] + 1 == options[known_depth - 1]) {
      known_depth--;
    }
    if (known_depth == 0) { result.whole = 1; return result; }
    chosen[known_depth - 1]++;
  }
  return result;
}
