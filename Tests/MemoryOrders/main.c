/* Runs each scenario as the code is, and then with each memory order that it uses weakened. */
#include <stdio.h>

#include "shim.h"

static conclave_publisher publishers[3];
static conclave_subscriber subscriber;
static uint64_t last[2]; /* number of the last message received of each lane */

static void begin(uint32_t slots, uint32_t granules) {
  orders_begin(slots, granules);
  last[0] = last[1] = 0;
}

/* Judges one look at the cursor. */
static conclave_outcome receive(void) {
  conclave_record record = {0};
  conclave_outcome outcome = conclave_receive(&subscriber, &record);
  orders_expect(outcome != CONCLAVE_DAMAGED, "a good record seems damaged");
  orders_expect(!subscriber.row || outcome == CONCLAVE_RECORD || outcome == CONCLAVE_NOTHING,
                "a record is lost in spite of back pressure");
  if (outcome != CONCLAVE_RECORD) return outcome;
  const _Atomic uint64_t *words = (const _Atomic uint64_t *)(const void *)record.body;
  uint64_t first, second;
  if (subscriber.row) {
    first = atomic_load_explicit(&words[0], memory_order_relaxed);
    second = atomic_load_explicit(&words[1], memory_order_relaxed);
  } else {
    memcpy(&first, record.body, 8);
    memcpy(&second, record.body + 8, 8);
  }
  orders_expect(record.body_bytes == 16, "a length that nobody wrote");
  orders_expect(first == second, "a torn record");
  orders_expect(first >> 8 == record.lane, "a record of another lane");
  orders_expect((first & 0xFF) > last[record.lane], "a record that came before");
  last[record.lane] = first & 0xFF;
  conclave_release(&subscriber);
  return outcome;
}

/* A subscriber that has joined, and owners of the first `lanes` lanes. */
static void begin_with(void (*join)(conclave_subscriber *), uint32_t slots, uint32_t granules,
                       uint32_t lanes) {
  begin(slots, granules);
  join(&subscriber);
  for (uint32_t lane = 0; lane < lanes; lane++) orders_lane(&publishers[lane], lane);
}

/* The lane and the ring go round under a dropping subscriber. */
static void prepare_overwrite(void) { begin_with(orders_dropping, 2, 2, 1); }
static void publish_three(void) {
  for (int i = 0; i < 3; i++) orders_publish(&publishers[0], CONCLAVE_WAIT);
}
static void receive_two(void) {
  for (int i = 0; i < 2; i++) receive();
}

/* Only the lane goes round, so that nothing but `reserve` tells. */
static void prepare_lane(void) { begin_with(orders_dropping, 8, 1, 1); }

/* Two publishers and the swap. */
static void prepare_race(void) { begin_with(orders_dropping, 4, 2, 2); }
static void publish_first(void) { orders_publish(&publishers[0], CONCLAVE_WAIT); }
static void publish_second(void) { orders_publish(&publishers[1], CONCLAVE_WAIT); }

/* Falling asleep while a record is published, without a time limit. */
static void prepare_sleep(void) { begin_with(orders_dropping, 4, 2, 1); }
static void publish_and_wake(void) {
  orders_publish(&publishers[0], CONCLAVE_WAIT);
  conclave_publish_wake(&publishers[0]);
}
static void receive_or_sleep(int records) {
  while (records > 0) {
    if (receive() == CONCLAVE_RECORD) {
      records--;
      continue;
    }
    if (subscriber.row) conclave_subscriber_flush(&subscriber);
    uint32_t ticket = conclave_event_prepare(&orders_view.board->data);
    if (orders_has_record(subscriber.position)) continue;
    conclave_event_wait(&orders_view.board->data, ticket, UINT64_MAX);
  }
  if (subscriber.row) conclave_subscriber_flush(&subscriber);
}
static void receive_one(void) { receive_or_sleep(1); }

/* Back pressure: the publisher has no room before the subscriber gives it back; neither looks
 * by the clock. */
static void prepare_room(void) { begin_with(orders_pressing, 4, 1, 1); }
static void prepare_ring(void) { begin_with(orders_pressing, 1, 4, 1); }
static void publish_two_and_wake(void) {
  for (int i = 0; i < 2; i++) orders_publish(&publishers[0], CONCLAVE_WAIT);
  conclave_publish_wake(&publishers[0]);
}
static void receive_both(void) { receive_or_sleep(2); }

/* A subscriber with back pressure joins while the lane goes round. */
static void prepare_join(void) {
  begin(8, 2);
  orders_lane(&publishers[0], 0);
}
static void publish_while_room(void) {
  for (int i = 0; i < 3; i++) {
    if (orders_publish(&publishers[0], CONCLAVE_NO_WAIT)) return;
  }
}
static void join_and_receive(void) {
  orders_activate(&subscriber);
  for (int i = 0; i < 2; i++) receive();
}

/* A publisher dies anywhere, the ring goes round, and its lane has another owner. */
static void prepare_reuse(void) { begin_with(orders_dropping, 1, 2, 0); }
static void publish_and_die(void) {
  if (orders_publisher(&publishers[0], 1) == 0) orders_publish(&publishers[0], CONCLAVE_WAIT);
  orders_kernel();
}
static void lap_and_take_over(void) {
  orders_lane(&publishers[1], 1);
  orders_publish(&publishers[1], CONCLAVE_WAIT);
  if (orders_publisher(&publishers[2], 2) == 0 && publishers[2].lane == 0) {
    publishers[2].messages = 100;
    orders_publish(&publishers[2], CONCLAVE_WAIT);
  }
}

static const orders_scenario scenarios[] = {
    {.name = "overwrite", .prepare = prepare_overwrite, .threads = {publish_three, receive_two},
     .mortal = 1},
    {.name = "lane", .prepare = prepare_lane, .threads = {publish_three, receive_two}, .mortal = 1},
    {.name = "race", .prepare = prepare_race,
     .threads = {publish_first, publish_second, receive_two}},
    {.name = "sleep", .prepare = prepare_sleep, .threads = {publish_and_wake, receive_one}},
    {.name = "room", .prepare = prepare_room, .threads = {publish_two_and_wake, receive_both}},
    {.name = "ring", .prepare = prepare_ring, .threads = {publish_two_and_wake, receive_both}},
    {.name = "join", .prepare = prepare_join, .threads = {publish_while_room, join_and_receive},
     .mortal = 1},
    {.name = "reuse", .prepare = prepare_reuse,
     .threads = {publish_and_die, lap_and_take_over, receive_two}, .mortal = 1},
};
enum { JOIN = 6, SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

/* What each run must notice, so that a change of a scenario cannot blind it. */
static const struct { const char *function, *what; int order; } needed[] = {
    {"conclave_publish_record", "fence", memory_order_release}, /* overwrite */
    {"conclave_receive_copy", "fence", memory_order_acquire},
    {"conclave_receive", "load", memory_order_acquire}, /* publish */
    {"conclave_order_append", "swap", memory_order_seq_cst}, /* publish, sleep */
    {"conclave_event_signal", "load", memory_order_seq_cst}, /* sleep */
    {"conclave_event_prepare", "swap", memory_order_seq_cst},
    {"has_record", "load", memory_order_seq_cst},
    {"sleep_for_lane", "load", memory_order_seq_cst}, /* room */
    {"conclave_flush_lane", "store", memory_order_seq_cst},
    {"conclave_flush_lane", "load", memory_order_seq_cst},
    {"conclave_ring_room", "load", memory_order_seq_cst},
    {"conclave_flush_position", "store", memory_order_seq_cst},
};
enum { NEEDED = sizeof(needed) / sizeof(needed[0]) };
static int noticed[NEEDED];

static uint64_t executions;

static const char *explore(uint64_t limit, int switches, const char **scenario) {
  for (int i = 0; i < SCENARIOS; i++) {
    orders_result result = orders_explore(&scenarios[i], limit, switches);
    executions += result.executions;
    *scenario = scenarios[i].name;
    if (result.failure) return result.failure;
  }
  return NULL;
}

static void note(const orders_site *site, int weakened) {
  for (int i = 0; i < NEEDED; i++) {
    if (site->order == needed[i].order && strcmp(site->what, needed[i].what) == 0 &&
        strcmp(site->function, needed[i].function) == 0 &&
        (site->order != memory_order_seq_cst || weakened == memory_order_acq_rel)) {
      noticed[i] = 1;
    }
  }
}

static const char *name_of(int order) {
  static const char *const names[] = {"relaxed", "", "acquire", "release", "acq_rel", "seq_cst"};
  return names[order];
}

/* Weakens `site` to `order`; returns whether that was noticed. */
static int weaken(const orders_site *site, int order, uint64_t limit, int switches) {
  const char *scenario = "";
  orders_weaken(site, NULL, order);
  const char *failure = explore(limit, switches, &scenario);
  const char *slash = strrchr(site->file, '/');
  printf("%-10s %s:%d %s: %s %s -> %s%s%s\n", failure ? scenario : "unnoticed", slash + 1,
         site->line, site->function, site->what, name_of(site->order), name_of(order),
         failure ? ": " : "",
         failure ? failure : "");
  if (failure) note(site, order);
  return failure != NULL;
}

/* Words: executions of each scenario at most, of each when something is weakened (0: nothing is), changes
 * of thread. */
int main(int count, char **words) {
  uint64_t limit = count > 1 ? strtoull(words[1], NULL, 10) : 400000;
  uint64_t weak_limit = count > 2 ? strtoull(words[2], NULL, 10) : 5000;
  int switches = count > 3 ? atoi(words[3]) : 2;
  int bad = 0, mutants = 0, caught = 0;
  for (int i = 0; i < SCENARIOS; i++) {
    orders_result result = orders_explore(&scenarios[i], limit, switches);
    executions += result.executions;
    printf("%-10s %llu executions%s: %s\n", scenarios[i].name,
           (unsigned long long)result.executions, result.whole ? ", all there are" : "",
           result.failure ? result.failure : "holds");
    bad += result.failure != NULL;
  }
  printf("as it is: %llu executions\n", (unsigned long long)executions);
  if (weak_limit == 0) return bad != 0;
  for (const orders_site *site = orders_sites; site; site = site->next) {
    if (site->order == memory_order_relaxed || !site->first) continue;
    if (!strstr(site->file, "CShim")) continue;
    if (site->order == memory_order_seq_cst) {
      mutants++;
      caught += weaken(site, memory_order_acq_rel, weak_limit, switches);
    }
    mutants++;
    caught += weaken(site, memory_order_relaxed, weak_limit, switches);
  }
  /* Each place alone is more than it needs, since the others help. */
  orders_weaken(NULL, "activate", ORDERS_NOT_CONSISTENT);
  orders_result joined = orders_explore(&scenarios[JOIN], limit, switches);
  executions += joined.executions;
  printf("%-10s all of activate: seq_cst -> acq_rel%s%s\n", joined.failure ? "join" : "unnoticed",
         joined.failure ? ": " : "", joined.failure ? joined.failure : "");
  mutants++;
  caught += joined.failure != NULL;
  bad += joined.failure == NULL;
  for (int i = 0; i < NEEDED; i++) {
    if (noticed[i]) continue;
    printf("NOT NOTICED: %s, %s %s\n", needed[i].function, needed[i].what,
           name_of(needed[i].order));
    bad++;
  }
  printf("%d of %d mutants noticed, %llu executions in all\n", caught, mutants,
         (unsigned long long)executions);
  return bad != 0;
}
