/* Who publishes while whom reads: scenarios without a death, or with one that may come at any step. */
#include "scenarios.h"

enum { POSITIONS = 32 };

conclave_publisher publishers[3];
conclave_subscriber subscriber;
static uint64_t last[2]; /* number of the last message received of each lane */
static uint64_t published[POSITIONS]; /* the message that has the position; 0: not known yet */

void begin(uint32_t slots, uint32_t granules) {
  orders_begin(slots, granules);
  memset(last, 0, sizeof(last));
  memset(published, 0, sizeof(published));
}

static uint64_t next_message(const conclave_publisher *publisher) {
  return (uint64_t)publisher->lane << 8 | (publisher->messages + 1);
}

/* Two words, so that a torn record shows. */
int publish(conclave_publisher *publisher, conclave_wait_mode mode) {
  uint64_t message = next_message(publisher);
  uint64_t words[2] = {message, message};
  int failure = conclave_publish(publisher, words, sizeof(words), NULL, 0, mode);
  if (!failure) published[publisher->next_position - 1] = message;
  return failure;
}

void was_published(const conclave_publisher *publisher) {
  published[publisher->next_position - 1] = next_message(publisher);
}

conclave_outcome receive(void) {
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
  orders_expect(!published[record.position] || published[record.position] == first,
                "a record of another position");
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
  for (int i = 0; i < 3; i++) publish(&publishers[0], CONCLAVE_WAIT);
}
static void receive_two(void) {
  for (int i = 0; i < 2; i++) receive();
}

/* Only the lane goes round, so that nothing but `reserve` tells. */
static void prepare_lane(void) { begin_with(orders_dropping, 8, 1, 1); }

/* Two publishers and the swap. */
static void prepare_race(void) { begin_with(orders_dropping, 4, 2, 2); }
static void publish_first(void) { publish(&publishers[0], CONCLAVE_WAIT); }
static void publish_second(void) { publish(&publishers[1], CONCLAVE_WAIT); }

/* The ring goes on behind a slot that seemed free: that is no damage. */
static void receive_or_look(void) {
  conclave_record record = {0};
  for (int i = 0; i < 2; i++) {
    if (receive() == CONCLAVE_RECORD) continue;
    conclave_outcome outcome = conclave_receive_nothing(&subscriber, &record);
    orders_expect(outcome == CONCLAVE_NOTHING, "a slot that is filled seems damaged");
  }
}

/* An onlooker takes no live ring for a damaged one, while it goes round and lanes change hands. */
static void look_for_damage(void) {
  conclave_damage damage = conclave_damage_find(&orders_view);
  orders_expect(damage.slots == 0, "a good slot seems damaged");
  orders_expect(!damage.blocked, "a good ring seems blocked");
  orders_expect(damage.lanes[0] == 0, "a good lane seems damaged");
}

static void publish_four(void) {
  for (int i = 0; i < 4; i++) publish(&publishers[0], CONCLAVE_WAIT);
}
static void look_at_position(void) {
  orders_expect(!conclave_position_is_blocked(&orders_view, 1), "a good ring seems blocked");
}

/* Who joins while the ring begins to go round knows nothing of it but what the hint says. */
static void join_and_look(void) {
  conclave_subscription options = {.timeout_ns = 0};
  orders_join(&subscriber, &options);
  orders_expect(subscriber.position <= 3, "a beginning where nobody has been");
}

/* Falling asleep while a record is published, without a time limit. */
static void prepare_sleep(void) { begin_with(orders_dropping, 4, 2, 1); }
static void publish_and_wake(void) {
  publish(&publishers[0], CONCLAVE_WAIT);
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
  for (int i = 0; i < 2; i++) publish(&publishers[0], CONCLAVE_WAIT);
  conclave_publish_wake(&publishers[0]);
}
static void receive_both(void) { receive_or_sleep(2); }

/* A subscriber with back pressure joins while the lane goes round. */
static void prepare_join(void) {
  begin(8, 2);
  orders_lane(&publishers[0], 0);
}
static void prepare_join_ring(void) {
  begin(1, 4);
  orders_lane(&publishers[0], 0);
}
static void publish_while_room(void) {
  for (int i = 0; i < 3; i++) {
    if (publish(&publishers[0], CONCLAVE_NO_WAIT)) return;
  }
}
static void join_and_receive(void) {
  orders_activate(&subscriber);
  for (int i = 0; i < 2; i++) receive();
}

/* A publisher dies anywhere, the ring goes round, and its lane has another owner. */
static void prepare_reuse(void) { begin_with(orders_dropping, 1, 2, 0); }
static void publish_and_die(void) {
  if (orders_publisher(&publishers[0], 1) == 0) publish(&publishers[0], CONCLAVE_WAIT);
  orders_kernel();
}
static void lap_and_take_over(void) {
  orders_lane(&publishers[1], 1);
  publish(&publishers[1], CONCLAVE_WAIT);
  if (orders_publisher(&publishers[2], 2) == 0 && publishers[2].lane == 0) {
    publishers[2].messages = 100;
    publish(&publishers[2], CONCLAVE_WAIT);
  }
}

const orders_scenario orders_scenarios[] = {
    {.name = "overwrite", .prepare = prepare_overwrite, .threads = {publish_three, receive_two},
     .mortal = 1},
    {.name = "lane", .prepare = prepare_lane, .threads = {publish_three, receive_two}, .mortal = 1},
    {.name = "race", .prepare = prepare_race,
     .threads = {publish_first, publish_second, receive_two}},
    {.name = "nothing", .prepare = prepare_race,
     .threads = {publish_first, publish_second, receive_or_look}},
    {.name = "onlooker", .prepare = prepare_overwrite, .threads = {publish_three, look_for_damage}},
    {.name = "blocked", .prepare = prepare_overwrite, .threads = {publish_four, look_at_position}},
    {.name = "newcomer", .prepare = prepare_overwrite, .threads = {publish_three, join_and_look}},
    {.name = "sleep", .prepare = prepare_sleep, .threads = {publish_and_wake, receive_one}},
    {.name = "room", .prepare = prepare_room, .threads = {publish_two_and_wake, receive_both}},
    {.name = "ring", .prepare = prepare_ring, .threads = {publish_two_and_wake, receive_both}},
    {.name = "join", .prepare = prepare_join, .threads = {publish_while_room, join_and_receive},
     .mortal = 1},
    {.name = "joinring", .prepare = prepare_join_ring,
     .threads = {publish_while_room, join_and_receive}, .mortal = 1},
    {.name = "reuse", .prepare = prepare_reuse,
     .threads = {publish_and_die, lap_and_take_over, receive_two}, .mortal = 1},
    {.name = NULL},
};
