#include "shim.h"

/* The system, as far as the shim needs it. */
static long orders_syscall(long number, void *word, int operation, uint32_t value) {
  (void)number;
  if (operation == FUTEX_WAKE || operation == FUTEX_WAKE_PRIVATE) {
    orders_wake(word);
  } else {
    orders_sleep(word, value);
  }
  return 0;
}
#define syscall(number, word, operation, value, ...) \
  orders_syscall((number), (word), (operation), (uint32_t)(value))
#define sched_yield() ((void)0)

/* Of subscribers that copy there is one at a time. */
static uint64_t scratch[CONCLAVE_GRANULE / 8];
#define malloc(bytes) ((void)(bytes), scratch)

#include "../../CShim/damage.c"
#include "../../CShim/order.c"
#include "../../CShim/rows.c"
#include "../../CShim/streams.c"
#include "../../CShim/wait.c"

#define smaller publish_smaller
#include "../../CShim/publish.c"
#undef smaller
#include "../../CShim/join.c"
#include "../../CShim/receive.c"
#include "../../CShim/park.c"
#include "../../CShim/mirror.c"
#undef malloc

int orders_has_record(uint64_t position) { return has_record(&orders_view, position); }

enum { LOCKS = 16 };
static int holders[LOCKS];

static int *lock_at(int64_t start) {
  if (start >= CONCLAVE_LOCK_READERS) return &holders[12 + (start - CONCLAVE_LOCK_READERS)];
  if (start >= CONCLAVE_LOCK_ROWS) return &holders[8 + (start - CONCLAVE_LOCK_ROWS)];
  return &holders[start - CONCLAVE_LOCK_LANES];
}

int conclave_lock_try(int descriptor, int64_t start, int64_t length) {
  (void)length;
  orders_kernel();
  int *holder = lock_at(start);
  if (*holder && *holder != descriptor) return EAGAIN;
  *holder = descriptor;
  return 0;
}

int conclave_lock_share(int descriptor, int64_t start, int64_t length) {
  return conclave_lock_try(descriptor, start, length);
}

int conclave_lock_release(int descriptor, int64_t start, int64_t length) {
  (void)descriptor, (void)length;
  orders_kernel();
  *lock_at(start) = 0;
  return 0;
}

int conclave_lock_held(int descriptor, int64_t start, int64_t length) {
  orders_kernel();
  for (int64_t i = 0; i < length; i++) {
    int holder = *lock_at(start + i);
    if (holder && holder != descriptor) return 1;
  }
  return 0;
}

void orders_died(unsigned thread) {
  for (int i = 0; i < LOCKS; i++) {
    if (holders[i] && (unsigned)holders[i] / 8 == thread) holders[i] = 0;
  }
}

int conclave_lane_open(const conclave_view *view, uint32_t lane) {
  (void)view, (void)lane;
  return 0;
}
int conclave_row_open(const conclave_view *view, uint32_t row) {
  (void)view, (void)row;
  return 0;
}
int conclave_view_is_own(const conclave_view *view) { (void)view; return 1; }
void conclave_view_unmap(conclave_view *view) { (void)view; }
int conclave_segment_is_being_removed(int descriptor) { (void)descriptor; return 0; }
int64_t conclave_clock_shift_ns(const char *name) { (void)name; return 0; }

conclave_view orders_view;

/* Of a mapping that nobody cuts off. */
static conclave_guard sound;

static struct {
  conclave_board board;
  conclave_lane_wait lane_waits[2];
  conclave_presence presences[1];
  _Atomic uint64_t tail, slots[8];
  _Alignas(64) uint8_t row[CONCLAVE_ROW_BYTES];
  uint8_t lane_headers[2 * CONCLAVE_LANE_HEADER_BYTES];
  uint8_t lanes[2][8 * CONCLAVE_GRANULE];
} memory;

void orders_begin(uint32_t slots, uint32_t granules) {
  memset(holders, 0, sizeof(holders));
  memset(&memory, 0, sizeof(memory));
  orders_view = (conclave_view){
      .board = &memory.board,
      .lane_waits = memory.lane_waits,
      .presences = memory.presences,
      .tail = &memory.tail,
      .slots = memory.slots,
      .rows = memory.row,
      .lane_headers = memory.lane_headers,
      .lanes = memory.lanes[0],
      .guard = &sound,
      .geometry = {.slot_count = slots, .lane_count = 2, .row_count = 1, .message_bytes = 32,
                   .lane_bytes = granules * CONCLAVE_GRANULE},
      .slot_shift = (uint32_t)__builtin_ctz(slots),
      .lane_granules = granules,
      .record_limit = CONCLAVE_GRANULE,
  };
}

int orders_publisher(conclave_publisher *publisher, int descriptor) {
  conclave_view view = orders_view;
  view.descriptor = (int)orders_thread() * 8 + descriptor;
  return conclave_publisher_join(publisher, &view, 1, 0);
}

void orders_lane(conclave_publisher *publisher, uint32_t lane) {
  *publisher = (conclave_publisher){
      .view = orders_view,
      .lane = lane,
      .lane_header = conclave_lane_header_at(&orders_view, lane),
      .lane_data = conclave_lane_at(&orders_view, lane),
      .incarnation = 1,
  };
}

void orders_dropping(conclave_subscriber *subscriber) {
  *subscriber = (conclave_subscriber){.view = orders_view, .scratch = scratch};
}

void orders_pressing(conclave_subscriber *subscriber) {
  *subscriber = (conclave_subscriber){.view = orders_view, .row = conclave_row_at(&orders_view, 0)};
  atomic_init(&subscriber->row->state, 3);
  atomic_init(&subscriber->row->timeout_ns, UINT64_MAX);
  holders[8] = 7 * 8;
}

int orders_join(conclave_subscriber *subscriber, const conclave_subscription *options) {
  conclave_view view = orders_view;
  view.descriptor = (int)orders_thread() * 8 + 1;
  return conclave_subscriber_join(subscriber, &view, options);
}

int orders_succeed(conclave_subscriber *subscriber, const conclave_subscription *options) {
  conclave_view view = orders_view;
  view.descriptor = (int)orders_thread() * 8 + 1;
  int failure = conclave_mirror_take(&view);
  if (failure) return failure;
  return conclave_subscriber_succeed(subscriber, &view, options, conclave_mirror_mirrored(&view));
}

void orders_activate(conclave_subscriber *subscriber) {
  conclave_subscription options = {.timeout_ns = UINT64_MAX, .back_pressure = 1};
  *subscriber = (conclave_subscriber){.view = orders_view, .row = conclave_row_at(&orders_view, 0)};
  conclave_lock_try((int)orders_thread() * 8 + 1, CONCLAVE_LOCK_ROWS, 1);
  activate(subscriber, &options);
}

void orders_read_reused(conclave_subscriber *subscriber) { read_reused(subscriber); }
