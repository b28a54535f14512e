/* A lane changes hands. What came before, the death above all, is prepared, so that few changes of thread
 * remain; whoever has not seen it may still be in the middle of it, by what it loads.
 *
 * Thread 0 is the dead owner and then the next, who comes after all that the dead one did; thread 1 reads;
 * thread 2 has the other lane. */
#include "scenarios.h"

enum { OWNER = 0, OTHER = 2 };

static void publish_own(void) { publish(&publishers[0], CONCLAVE_WAIT); }
static void publish_other(void) { publish(&publishers[1], CONCLAVE_WAIT); }
static void join_lane_0(void) { orders_publisher(&publishers[0], 1); }
static void join_lane_1(void) { orders_publisher(&publishers[1], 2); }

/* Both lanes are held; the owner of the first dies between its last swap and `published`. */
static void prepare_death(uint32_t slots, uint32_t granules, int records) {
  begin(slots, granules);
  orders_before(OWNER, join_lane_0, NULL);
  orders_before(OTHER, join_lane_1, NULL);
  while (--records > 0) orders_before(OWNER, publish_own, NULL);
  orders_before(OWNER, publish_own, "&publisher->lane_header->published");
  was_published(&publishers[0]);
}

static void take_over_and_publish(void) {
  if (orders_publisher(&publishers[0], 3) || publishers[0].lane != 0) return;
  publishers[0].messages = 100;
  publish(&publishers[0], CONCLAVE_NO_WAIT);
}

/* SYNC POINT reuse: the ring goes round before the next owner looks at it, or while it does, or later: so the
 * dead one's last record is void or is not. A reader reads both of its records meanwhile: with the first it
 * may learn of the next owner, with the second it may copy what that one writes.
 *
 * One change of thread: the owner comes, stops, and the ring goes round; who has ended gives way freely. */
static void prepare_void(void) {
  prepare_death(2, 2, 2);
  orders_dropping(&subscriber);
}
static void lap(void) {
  for (int i = 0; i < 2; i++) publish_other();
}
static void receive_two(void) {
  for (int i = 0; i < 2; i++) receive();
}

/* The same, with one record less to go, for a reader that joins only now and begins where it is told to. */
static void prepare_late(void) {
  prepare_void();
  orders_before(OTHER, publish_other, NULL);
}
static void look_back(void) {
  orders_dropping(&subscriber);
  orders_read_reused(&subscriber);
  conclave_subscriber_seek(&subscriber, 1);
  receive();
}

/* A subscriber with back pressure that passed records over: what it gives back at the ring's end is what the
 * lanes say, of which it must have seen the slots. */
static void prepare_doubt(void) {
  prepare_death(4, 4, 1);
  orders_pressing(&subscriber);
  subscriber.doubtful = 1;
}
static void receive_or_give_back(void) {
  for (int i = 0; i < 3; i++) {
    if (receive() == CONCLAVE_NOTHING) conclave_subscriber_flush(&subscriber);
  }
}

/* The lists of streams: each owner has one stream, and counts in it what it publishes. */
enum { KEY_BYTES = 8, LIST_BYTES = 16 + KEY_BYTES };
static _Atomic uint64_t *entry;

static uint64_t key_of(uint64_t incarnation) { return 0xA0 + incarnation; }

static void add_stream(void) {
  uint64_t key = key_of(publishers[0].incarnation);
  entry = conclave_stream_add(publishers[0].lane_header, &key, KEY_BYTES);
}
static void publish_and_count(void) {
  if (publish(&publishers[0], CONCLAVE_WAIT) == 0) {
    conclave_stream_note(entry, publishers[0].next_position);
  }
}
static void prepare_streams(void) {
  begin(8, 4);
  orders_dropping(&subscriber);
  orders_before(OWNER, join_lane_0, NULL);
  orders_before(OTHER, join_lane_1, NULL);
  orders_before(OWNER, add_stream, NULL);
  orders_before(OWNER, publish_and_count, NULL);
  orders_before(OWNER, publish_own, "&publisher->lane_header->published");
  was_published(&publishers[0]);
}
static void take_over_and_count(void) {
  if (orders_publisher(&publishers[0], 3) || publishers[0].lane != 0) return;
  publishers[0].messages = 100;
  add_stream();
  publish_and_count();
}
static void read_list(void) {
  uint64_t copy[CONCLAVE_LANE_HEADER_BYTES / 8], incarnation = 0;
  uint32_t bytes = conclave_streams_copy(&orders_view, 0, copy, &incarnation);
  if (bytes == 0) return;
  orders_expect(bytes == LIST_BYTES && copy[1] == KEY_BYTES, "a list that nobody wrote");
  orders_expect(copy[2] == key_of(incarnation), "a list of another owner");
  orders_expect(copy[0] == 0 || copy[0] == 1 + 2 * (incarnation - 1), "a number of another owner");
  if (copy[0] == 0) return;
  conclave_subscriber_seek(&subscriber, copy[0] - 1);
  orders_expect(receive() == CONCLAVE_RECORD, "a message that is counted is not there");
}

const orders_scenario orders_takeovers[] = {
    {.name = "void", .prepare = prepare_void,
     .threads = {take_over_and_publish, receive_two, lap}, .fewer = 1},
    {.name = "late", .prepare = prepare_late,
     .threads = {take_over_and_publish, look_back, publish_other}, .fewer = 1},
    {.name = "doubt", .prepare = prepare_doubt,
     .threads = {take_over_and_publish, receive_or_give_back}},
    {.name = "streams", .prepare = prepare_streams, .threads = {take_over_and_count, read_list}},
    {.name = NULL},
};
