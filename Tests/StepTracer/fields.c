#include <stdio.h>
#include <string.h>

#include "lab.h"

static void add(lab *lab, lab_field field, const char *name, uint32_t index) {
  if (lab->field_count == LAB_FIELDS) return;
  snprintf(field.name, sizeof(field.name), index == UINT32_MAX ? "%s" : "%s.%u", name, index);
  const char *wanted = lab->attack->field;
  if (wanted && strncmp(field.name, wanted, strlen(wanted)) != 0) return;
  lab->fields[lab->field_count++] = field;
}

#define FIELD(harmed, of_lane, period, word, twin)                                     \
  ((lab_field){.place = (void *)&(word), .sibling = (void *)&(twin), .lap = (period), \
               .width = sizeof(word), .harm = (harmed), .lane = (of_lane)})

/* Constant since before anybody came: nobody may look at them again. */
static void list_header(lab *lab) {
  conclave_segment_header *header = (void *)lab->world.whole.base;
  conclave_geometry *geometry = &header->geometry;
  const uint32_t alone = UINT32_MAX;
  add(lab, FIELD(LAB_NOBODY, 0, 1, header->magic, header->created_ns), "magic", alone);
  add(lab, FIELD(LAB_NOBODY, 0, 64, geometry->slot_count, geometry->lane_bytes), "slot_count", alone);
  add(lab, FIELD(LAB_NOBODY, 0, 2, geometry->lane_count, geometry->row_count), "lane_count", alone);
  add(lab, FIELD(LAB_NOBODY, 0, 64, geometry->lane_bytes, geometry->slot_count), "lane_bytes", alone);
  add(lab, FIELD(LAB_NOBODY, 0, 2, geometry->row_count, geometry->lane_count), "row_count", alone);
  add(lab, FIELD(LAB_NOBODY, 0, 4096, header->segment_bytes, header->magic), "segment_bytes", alone);
}

static void list_board(lab *lab) {
  const conclave_view *view = &lab->world.whole;
  conclave_board *board = view->board;
  const uint32_t alone = UINT32_MAX;
  add(lab, FIELD(LAB_NOBODY, 0, 2, board->data.word, board->space.word), "data", alone);
  add(lab, FIELD(LAB_NOBODY, 0, 2, board->space.word, board->data.word), "space", alone);
  add(lab, FIELD(LAB_NOBODY, 0, 2, board->work.word, board->data.word), "work", alone);
  for (uint32_t lane = 0; lane < 2; lane++) {
    conclave_lane_wait *wait = &view->lane_waits[lane], *twin = &view->lane_waits[1 - lane];
    add(lab, FIELD(LAB_NOBODY, 0, 2, wait->event.word, twin->event.word), "wait.event", lane);
    add(lab, FIELD(LAB_NOBODY, 0, 256, wait->wanted, twin->wanted), "wait.wanted", lane);
    add(lab, FIELD(LAB_NOBODY, 0, 3, wait->row, twin->row), "wait.row", lane);
  }
  conclave_presence *presence = &view->presences[2], *twin = &view->presences[0];
  add(lab, FIELD(LAB_NOBODY, 0, 64, presence->cursor, twin->cursor), "presence.cursor", 2);
  add(lab, FIELD(LAB_NOBODY, 0, 64, presence->label_bytes, twin->lost), "presence.label_bytes", 2);
}

/* `position` is the next that the deed looks at. */
static void list_order(lab *lab, uint64_t position) {
  const conclave_view *view = &lab->world.whole;
  const uint64_t lap = UINT64_C(1) << (CONCLAVE_GRANULE_BITS + CONCLAVE_LANE_BITS);
  add(lab, FIELD(LAB_NOBODY, 0, view->geometry.slot_count, *view->tail, view->slots[0]), "tail",
      UINT32_MAX);
  const uint64_t places[] = {position, position + 1, position + 8, position - 1,
                             position / 64 * 64, position / 64 * 64 + 63};
  for (uint32_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
    _Atomic uint64_t *slot = conclave_slot_at(view, places[i]);
    _Atomic uint64_t *twin = conclave_slot_at(view, places[i] + 2);
    add(lab, FIELD(LAB_ORDER, 0, lap, *slot, *twin), "slot", i);
  }
}

static void list_rows(lab *lab) {
  const conclave_view *view = &lab->world.whole;
  for (uint32_t i = 0; i < view->geometry.row_count; i++) {
    conclave_row *row = conclave_row_at(view, i), *twin = conclave_row_at(view, (i + 1) % 3);
    add(lab, FIELD(LAB_ROW, 0, 2, row->state, twin->state), "row.state", i);
    add(lab, FIELD(LAB_ROW, 0, 64, row->cursor, twin->cursor), "row.cursor", i);
    add(lab, FIELD(LAB_ROW, 0, 2, row->timeout_ns, twin->cursor), "row.timeout", i);
    add(lab, FIELD(LAB_ROW, 0, 2, row->keep_ns, twin->cursor), "row.keep", i);
    add(lab, FIELD(LAB_ROW, 0, 2, row->orphaned, twin->cursor), "row.orphaned", i);
    for (uint32_t lane = 0; lane < 2; lane++) {
      add(lab, FIELD(LAB_ROW, lane, view->lane_granules, row->consumed[lane], twin->consumed[lane]),
          lane ? "row.consumed.1" : "row.consumed.0", i);
    }
  }
}

static void list_lanes(lab *lab) {
  const conclave_view *view = &lab->world.whole;
  for (uint32_t i = 0; i < 2; i++) {
    conclave_lane_header *lane = conclave_lane_header_at(view, i);
    conclave_lane_header *twin = conclave_lane_header_at(view, 1 - i);
    const uint64_t lap = view->lane_granules;
    add(lab, FIELD(LAB_LANE, i, lap, lane->reserve, twin->reserve), "lane.reserve", i);
    add(lab, FIELD(LAB_LANE, i, lap, lane->published, twin->published), "lane.published", i);
    add(lab, FIELD(LAB_NOBODY, i, 2, lane->reused, twin->reused), "lane.reused", i);
    add(lab, FIELD(LAB_NOBODY, i, 2, lane->incarnation, twin->incarnation), "lane.incarnation", i);
    add(lab, FIELD(LAB_NOBODY, i, 2, lane->messages, twin->messages), "lane.messages", i);
    add(lab, FIELD(LAB_NOBODY, i, 2, lane->pid, twin->pid), "lane.pid", i);
    add(lab, FIELD(LAB_NOBODY, i, 8, lane->stream_bytes, twin->stream_bytes), "lane.streams", i);
  }
}

/* The record that lies, or will lie, at `granule` of `lane`. */
static void list_record(lab *lab, uint32_t lane, uint64_t granule) {
  const conclave_view *view = &lab->world.whole;
  uint8_t *start = conclave_lane_at(view, lane) +
                   (granule & (view->lane_granules - 1)) * CONCLAVE_GRANULE;
  conclave_record_header *header = (void *)start;
  uint64_t *words = (void *)start;
  uint32_t last = 1 + lab->what->bytes / 8;
  const uint32_t alone = UINT32_MAX;
  add(lab, FIELD(LAB_RECORD, lane, 64, header->bytes, header->stamp), "record.bytes", alone);
  add(lab, FIELD(LAB_RECORD, lane, 2, header->stamp, header->bytes), "record.stamp", alone);
  add(lab, FIELD(LAB_RECORD, lane, 256, header->incarnation_kind, words[0]), "record.kind", alone);
  add(lab, FIELD(LAB_RECORD, lane, 2, words[2], words[0]), "record.first", alone);
  add(lab, FIELD(LAB_RECORD, lane, 2, words[last], words[0]), "record.last", alone);
}

static void list_cuts(lab *lab) {
  const conclave_view *view = &lab->world.whole;
  const uint8_t *const ends[] = {view->base,
                                 (const uint8_t *)view->board,
                                 (const uint8_t *)view->tail,
                                 (const uint8_t *)view->slots,
                                 view->rows,
                                 view->lane_headers,
                                 view->lanes};
  static const char *const names[] = {"all", "board", "tail", "slots", "rows", "headers", "lanes"};
  for (uint32_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
    lab_field cut = {.place = (void *)(uintptr_t)ends[i]};
    add(lab, cut, names[i], UINT32_MAX);
  }
}

void lab_list_fields(lab *lab) {
  const conclave_view *view = &lab->world.whole;
  if (lab->attack->hostility == STEP_TRUNCATE) return list_cuts(lab);
  list_header(lab);
  list_board(lab);
  list_rows(lab);
  list_lanes(lab);
  if (lab->what->action == STEP_RECEIVE || lab->what->action == STEP_CONSUME) {
    uint64_t position = lab->reader.position;
    uint64_t slot = *conclave_slot_at(view, position);
    list_order(lab, position);
    list_record(lab, conclave_slot_lane(slot), conclave_slot_granule(slot));
  } else {
    list_order(lab, conclave_frontier(view));
    if (lab->what->action == STEP_PUBLISH) list_record(lab, lab->other.lane, lab->other.head);
  }
}
