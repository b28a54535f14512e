/* Segments of any contents: whoever opens, subscribes, receives, joins and publishes neither dies nor goes
 * on for ever. A libFuzzer target; see `run` beside it.
 *
 * An input is a list of changes to a sound segment, so that few bytes reach far: a byte of switches, and then
 * for each change 4 bytes (which part, where in it, how long) and what to write there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conclave_damage.h"
#include "conclave_inspect.h"
#include "conclave_receive.h"
#include "conclave_segment.h"

enum { OUTCOMES = 5000, CHANGE_HEAD = 4, LONGEST_CHANGE = 16, MESSAGES = 100 };

static const char *const PATH = "/fuzz";
static char directory[64];
static conclave_view whole;
static uint8_t *image;

static void require(int is_good, const char *what) {
  if (is_good) return;
  fprintf(stderr, "%s\n", what);
  abort();
}

static int map(conclave_role role, conclave_view *view) {
  int descriptor = -1;
  conclave_segment_header header;
  int failure = conclave_segment_open(directory, "segment", PATH, strlen(PATH), NULL, role,
                                      &descriptor, &header);
  if (!failure) failure = conclave_view_map(view, descriptor, &header, role);
  if (failure && descriptor >= 0) close(descriptor);
  return failure;
}

static void clear_up(void) {
  char name[80];
  snprintf(name, sizeof(name), "%s/segment", directory);
  unlink(name);
  rmdir(directory);
}

/* A ring that has gone round. */
static void prepare(void) {
  static const conclave_geometry geometry = {.slot_count = 64,
                                             .lane_count = 2,
                                             .lane_bytes = CONCLAVE_MIN_LANE_BYTES,
                                             .row_count = 3,
                                             .message_bytes = 65536};
  snprintf(directory, sizeof(directory), "/dev/shm/conclave-fuzz-XXXXXX");
  require(mkdtemp(directory) != NULL, "no directory");
  atexit(clear_up);
  require(conclave_segment_create(directory, "segment", PATH, strlen(PATH), NULL, &geometry) == 0,
          "no segment");
  conclave_view view;
  conclave_publisher publisher;
  require(map(CONCLAVE_PUBLISH, &view) == 0, "no mapping");
  require(conclave_publisher_join(&publisher, &view, 1, 0) == 0, "no lane");
  uint64_t words[16];
  for (uint64_t number = 0; number < MESSAGES; number++) {
    for (int i = 0; i < 16; i++) words[i] = number * 16 + (uint64_t)i;
    conclave_publish(&publisher, NULL, 0, words, 8 + number % 120, CONCLAVE_NO_WAIT);
  }
  conclave_publisher_leave(&publisher);
  require(map(CONCLAVE_PUBLISH, &whole) == 0, "no mapping");
  require(mprotect(whole.base, whole.bytes, PROT_READ | PROT_WRITE) == 0, "no writing");
  image = malloc(whole.bytes);
  require(image != NULL, "no memory");
  memcpy(image, whole.base, whole.bytes);
}

static void change(const uint8_t *data, size_t size) {
  memcpy(whole.base, image, whole.bytes);
  const struct {
    const void *start;
    size_t bytes;
  } parts[] = {
      {whole.base, whole.bytes},       {whole.base, 128},
      {whole.board, 4096},             {whole.tail, 8},
      {whole.slots, 512},              {whole.rows, 160},
      {whole.rows + 4096, 160},        {whole.lane_headers, 192},
      {whole.lane_headers + 8192, 192}, {whole.lanes, 16384},
  };
  while (size > CHANGE_HEAD) {
    size_t part = data[0] % (sizeof(parts) / sizeof(parts[0]));
    size_t offset = (data[1] | (size_t)data[2] << 8) * (part == 0 ? 8 : 1) % parts[part].bytes;
    size_t length = 1 + data[3] % LONGEST_CHANGE;
    data += CHANGE_HEAD;
    size -= CHANGE_HEAD;
    if (length > size) length = size;
    uint8_t *place = whole.base + ((const uint8_t *)parts[part].start - whole.base) + offset;
    size_t room = (size_t)(whole.base + whole.bytes - place);
    memcpy(place, data, length < room ? length : room);
    data += length;
    size -= length;
  }
}

/* What is read has an effect, so that no reading is left out. */
static volatile uint64_t sum;

static void read_all(conclave_subscriber *subscriber) {
  conclave_record record;
  for (int i = 0; i < OUTCOMES; i++) {
    conclave_outcome outcome = conclave_receive(subscriber, &record);
    if (outcome == CONCLAVE_NOTHING) outcome = conclave_receive_nothing(subscriber, &record);
    if (outcome == CONCLAVE_NOTHING) return;
    if (outcome != CONCLAVE_RECORD) continue;
    require(record.body_bytes <= subscriber->view.record_limit, "a record that is too long");
    uint64_t seen = record.incarnation + record.kind;
    for (uint32_t byte = 0; byte < record.body_bytes; byte++) seen += record.body[byte];
    sum += seen;
    conclave_release(subscriber);
  }
  require(0, "there is something to receive without end");
}

static void publish(void) {
  conclave_view view;
  conclave_publisher publisher;
  static const uint8_t body[6000];
  if (map(CONCLAVE_PUBLISH, &view) != 0) return;
  if (conclave_publisher_join(&publisher, &view, 1, 0) != 0) return conclave_view_unmap(&view);
  for (uint64_t bytes = 8; bytes < 3000; bytes *= 9) {
    conclave_publish(&publisher, NULL, 0, body, bytes, CONCLAVE_NO_WAIT);
    conclave_publish_wake(&publisher);
  }
  conclave_publisher_leave(&publisher);
}

static void look(const conclave_view *view) {
  uint64_t copy[CONCLAVE_LANE_HEADER_BYTES / 8], incarnation;
  sum += conclave_damage_find(view).slots;
  for (uint32_t lane = 0; lane < view->geometry.lane_count; lane++) {
    sum += conclave_streams_copy(view, lane, copy, &incarnation);
  }
  for (uint32_t row = 0; row < view->geometry.row_count; row++) {
    sum += conclave_presence_read(view, row).cursor;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!image) prepare();
  if (size == 0) return 0;
  uint8_t switches = data[0];
  change(data + 1, size - 1);
  conclave_view view;
  conclave_subscriber subscriber;
  conclave_subscription options = {.timeout_ns = 0, .back_pressure = switches & 1};
  if (map(CONCLAVE_SUBSCRIBE, &view) != 0) return 0;
  if (conclave_subscriber_join(&subscriber, &view, &options) != 0) {
    conclave_view_unmap(&view);
    return 0;
  }
  if (switches & 2) conclave_subscriber_rewind(&subscriber);
  read_all(&subscriber);
  if (switches & 4) publish();
  if (switches & 8) change(data + 1, size - 1);
  read_all(&subscriber);
  if (switches & 16) look(&view);
  conclave_subscriber_leave(&subscriber);
  conclave_subscriber_free(&subscriber);
  return 0;
}
