/* Who skips slots by way of a hint has not seen them itself. Of whoever saw a slot others believe nevertheless
 * that it saw those before: catch_up in receive.c concludes from `published` that a slot which seems free is
 * free.
 *
 * Thread 0 comes by a hint; thread 1 reads, with back pressure; thread 2 was there before. */
#include "scenarios.h"

enum { COMER = 0, READER = 1, OTHER = 2 };

static void publish_own(void) { publish(&publishers[0], CONCLAVE_NO_WAIT); }
static void publish_other(void) { publish(&publishers[1], CONCLAVE_NO_WAIT); }
static void join_own(void) { orders_publisher(&publishers[0], 1); }
static void join_other(void) { orders_publisher(&publishers[1], 2); }
static void receive_one(void) {
  receive();
  conclave_subscriber_flush(&subscriber);
}
static void receive_or_give_back(void) {
  for (int i = 0; i < 5; i++) {
    if (receive() == CONCLAVE_NOTHING) conclave_subscriber_flush(&subscriber);
  }
}

/* Everything that the other publishes is read, up to `count` records. */
static void exchange(int count) {
  for (int i = 0; i < count; i++) {
    orders_before(OTHER, publish_other, NULL);
    orders_before(READER, receive_one, NULL);
  }
}

static void repeat(unsigned thread, void (*body)(void), int count) {
  for (int i = 0; i < count; i++) orders_before(thread, body, NULL);
}

/* Its first record is read as well. It has made room for more by then: the fence in that look would show it
 * what the other publishes before. */
static void come(void) {
  orders_before(COMER, join_own, NULL);
  orders_before(COMER, publish_own, NULL);
  orders_before(READER, receive_one, NULL);
}

/* The hint is raised behind position 16: who takes 17 has seen 16, but not 15. */
static void prepare_hint(void) {
  begin(8, 4);
  orders_pressing(&subscriber);
  orders_before(OTHER, join_other, NULL);
  exchange(12);
  come();
  exchange(2);
  repeat(OTHER, publish_other, 2);
  repeat(COMER, publish_own, 3);
  subscriber.doubtful = 1;
}

/* The hint is nonsense: a search finds the frontier that begins with the lap, at position 8, and passes 6 over. */
static void spoil_hint(void) {
  atomic_store_explicit(orders_view.tail, 1002, memory_order_relaxed);
}
static void prepare_search(void) {
  begin(8, 4);
  orders_pressing(&subscriber);
  orders_before(OTHER, join_other, NULL);
  exchange(5);
  come();
  repeat(OTHER, publish_other, 3);
  orders_before(OTHER, spoil_hint, NULL);
  repeat(COMER, publish_own, 3);
  subscriber.doubtful = 1;
}

/* The last record of a dead owner is consumed and the ring forgets it while its lane changes hands: only the
 * row tells where the void begins. SYNC POINT consume: who sees the later lap sees what was consumed before. */
static void prepare_forgotten(void) {
  begin(2, 2);
  orders_pressing(&subscriber);
  orders_before(COMER, join_own, NULL);
  orders_before(OTHER, join_other, NULL);
  orders_before(COMER, publish_own, "&publisher->lane_header->published");
  was_published(&publishers[0]);
  orders_before(OTHER, publish_other, NULL);
}
static void receive_two(void) {
  for (int i = 0; i < 2; i++) receive_one();
}
static void take_over(void) {
  if (orders_publisher(&publishers[0], 3) || publishers[0].lane != 0) return;
  orders_expect(publishers[0].head == 1, "a record is taken for void");
}

const orders_scenario orders_hints[] = {
    {.name = "hint", .prepare = prepare_hint, .threads = {publish_own, receive_or_give_back}},
    {.name = "search", .prepare = prepare_search, .threads = {publish_own, receive_or_give_back}},
    {.name = "forgotten", .prepare = prepare_forgotten,
     .threads = {take_over, receive_two, publish_other}},
    {.name = NULL},
};
