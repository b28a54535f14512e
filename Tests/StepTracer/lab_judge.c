#include <errno.h>

#include "conclave_damage.h"
#include "lab.h"

/* What a call hands out at most before it is one that does not end. */
enum { OUTCOMES = 600 };

static int is_sender(uint32_t sender) {
  return sender == STEP_SURVIVOR || sender == STEP_NEWCOMER;
}

/* Whether it is, bit for bit, a message that somebody published in this world. */
static int is_true(const lab *lab, const conclave_record *record, step_message message) {
  if (!is_sender(message.sender) || message.number >= lab->world.next[message.sender] ||
      message.number >= LAB_NUMBERS) {
    return 0;
  }
  const conclave_publisher *publisher =
      message.sender == STEP_SURVIVOR ? &lab->world.survivor : &lab->other;
  /* Those from before the deed have many sizes, and perhaps an earlier owner of the lane. */
  if (message.number < lab->first[message.sender]) return 1;
  return record->body_bytes == lab->what->bytes / 8 * 8 && record->kind == CONCLAVE_WHOLE &&
         record->lane == publisher->lane && record->incarnation == publisher->incarnation;
}

static void take(lab *lab, const conclave_record *record) {
  step_message message = step_read(record);
  if (is_true(lab, record, message)) {
    lab->seen[message.sender][message.number]++;
  } else if (lab->current.harm == LAB_RECORD && !lab->is_truncated) {
    lab->report->verdict.believed++;
  } else {
    lab_fault(lab, "handed out what nobody published: %u of %u, %u bytes", message.number,
              message.sender, record->body_bytes);
  }
}

static void drain(lab *lab, conclave_subscriber *reader) {
  conclave_record record;
  for (int i = 0; i < OUTCOMES; i++) {
    conclave_outcome outcome = conclave_receive(reader, &record);
    if (outcome == CONCLAVE_NOTHING) outcome = conclave_receive_nothing(reader, &record);
    if (outcome == CONCLAVE_NOTHING) return;
    if (outcome != CONCLAVE_RECORD) continue;
    if (!conclave_view_is_lost(&reader->view)) take(lab, &record);
    conclave_release(reader);
  }
  lab_fault(lab, "there is something to receive without end");
}

/* Whether a publisher may be refused because of what was changed. */
static int may_be_refused(const lab *lab, uint32_t lane) {
  const lab_field *field = &lab->current;
  return lab->is_truncated || field->harm == LAB_ORDER || field->harm == LAB_ROW ||
         (field->harm == LAB_LANE && field->lane == lane);
}

/* 0 or an error that a publisher may get. */
static int publish_next(lab *lab, conclave_publisher *publisher, uint32_t sender) {
  step_words words = step_words_of(sender, lab->world.next[sender], lab->what->bytes);
  int failure = step_publish(publisher, &words);
  if (failure == 0) {
    lab->world.next[sender]++;
  } else if (failure != EAGAIN && failure != EBADMSG) {
    lab_fault(lab, "a publisher gets %d", failure);
  } else if (!may_be_refused(lab, publisher->lane)) {
    lab_fault(lab, "a publisher that has nothing to do with it gets %d", failure);
  }
  return failure;
}

/* All that the act does not concern has come once. */
static void expect_all(lab *lab, const conclave_subscriber *reader) {
  const lab_field *field = &lab->current;
  for (uint32_t sender = 0; sender < 4; sender++) {
    if (!is_sender(sender)) continue;
    uint32_t lane = sender == STEP_SURVIVOR ? 0 : 1;
    if ((field->harm == LAB_LANE || field->harm == LAB_RECORD) && field->lane == lane) continue;
    for (uint32_t number = lab->first[sender]; number < lab->world.next[sender]; number++) {
      uint32_t times = lab->seen[sender][number];
      if (times == 1) continue;
      if (field->harm != LAB_ORDER) {
        lab_fault(lab, "message %u of %u came %u times", number, sender, times);
      } else if (times == 0 && !conclave_position_is_blocked(&reader->view, reader->position)) {
        lab->report->verdict.stalled = 1;
      }
    }
  }
}

/* The others publish, and the reader gets it. */
static void go_on(lab *lab, conclave_subscriber *reader, int other_lives) {
  for (int i = 0; i < LAB_MORE && !lab->report->verdict.fault[0]; i++) {
    if (other_lives) publish_next(lab, &lab->other, STEP_NEWCOMER);
    if (i % 8 == 0) publish_next(lab, &lab->world.survivor, STEP_SURVIVOR);
    drain(lab, reader);
  }
}

static void judge_reader(lab *lab) {
  if (lab->outcome == CONCLAVE_RECORD) {
    if (lab->record.body_bytes > sizeof(lab->words.words)) {
      return lab_fault(lab, "a record of %u bytes", lab->record.body_bytes);
    }
    lab->record.body = (const uint8_t *)lab->words.words;
    take(lab, &lab->record);
  }
  drain(lab, &lab->reader);
  go_on(lab, &lab->reader, 1);
  expect_all(lab, &lab->reader);
}

static void judge_publisher(lab *lab) {
  conclave_subscriber *reader = &lab->world.dropping.subscriber;
  int failure = lab->failure;
  if (failure != 0 && failure != EAGAIN && failure != EBADMSG) {
    return lab_fault(lab, "it ends with %d", failure);
  }
  int is_pressed = lab->what->before > 0;
  if (failure != 0 && !is_pressed && !may_be_refused(lab, 1)) {
    return lab_fault(lab, "it ends with %d because of what does not concern it", failure);
  }
  if (lab->what->action == STEP_PUBLISH && failure == 0) lab->world.next[STEP_NEWCOMER]++;
  drain(lab, reader);
  /* Where there was no room a publisher that is told that there is may lap the dropping one. */
  if (is_pressed) return;
  go_on(lab, reader, lab->what->action == STEP_PUBLISH || failure == 0);
  expect_all(lab, reader);
}

/* MARK: Truncation */

/* Whoever goes on is told sooner or later: as soon as it needs what is missing. */
static void judge_cut_publisher(lab *lab) {
  int failure = lab->failure;
  if (failure != 0 && failure != EAGAIN && failure != EBADMSG) {
    return lab_fault(lab, "it ends with %d", failure);
  }
  if (lab->what->action == STEP_JOIN && failure) return;
  if (failure == EBADMSG) return;
  for (int i = 0; i < 2; i++) {
    if (publish_next(lab, &lab->other, STEP_NEWCOMER) == EBADMSG) return;
  }
  lab_fault(lab, "a publisher is not told that the segment is gone");
}

static void judge_cut_reader(lab *lab) {
  conclave_subscriber *reader = &lab->reader;
  int was_joining = lab->what->action == STEP_SUBSCRIBE || lab->what->action == STEP_ENTER;
  if (!lab->is_reader) return;
  if (lab->outcome == CONCLAVE_RECORD) {
    lab->record.body = (const uint8_t *)lab->words.words;
    take(lab, &lab->record);
  }
  drain(lab, reader);
  if (conclave_position_is_blocked(&reader->view, reader->position)) return;
  /* Who waits for a message does not look at what comes behind the order. */
  if (was_joining && (const uint8_t *)lab->current.place > (const uint8_t *)lab->world.whole.slots) {
    return;
  }
  lab_fault(lab, "a reader is not told that the segment is gone");
}

void lab_judge(lab *lab) {
  int reads = lab->what->action != STEP_PUBLISH && lab->what->action != STEP_JOIN;
  if (lab->is_truncated) {
    if (reads) judge_cut_reader(lab); else judge_cut_publisher(lab);
  } else if (!reads) {
    judge_publisher(lab);
  } else if (lab->is_reader) {
    judge_reader(lab);
  } else if (!may_be_refused(lab, 1)) {
    lab_fault(lab, "joining ends with %d", lab->failure);
  }
}
