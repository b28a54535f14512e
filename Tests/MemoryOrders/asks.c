/* Who ends whose sleep, and who tells whom: interrupting, the mirror's board, the cancel flag, what people
 * read. Nobody looks by the clock.
 *
 * Thread 0 calls; thread 1 sleeps, or reads. */
#include "scenarios.h"

enum { CALLER = 0, SLEEPER = 1 };

static void begin_empty(void) {
  begin(4, 2);
  orders_dropping(&subscriber);
}

/* Interrupting a subscriber: SYNC POINT sleep, with the flag for the work. It is not told twice. */
static void interrupt(void) { conclave_subscriber_interrupt(&subscriber); }
static void park(void) {
  conclave_subscriber_park(&subscriber, subscriber.position, UINT64_MAX);
}
static void doze(void) { conclave_mirror_doze(&subscriber, 1, UINT64_MAX); }

/* SYNC POINT doze. The mirror has expected more who ask, and now expects one. */
static void expect_more(void) {
  atomic_store_explicit(&orders_view.board->mirror.quorum, 3, memory_order_relaxed);
}
static void prepare_doze(void) {
  begin_empty();
  orders_before(SLEEPER, expect_more, NULL);
}
static void ask(void) { conclave_mirror_ask(&orders_view, 0); }

/* What is in the files already brings the mirror no record: who asks wakes it from its sleep. */
static void keep_first(void) { conclave_mirror_note_mirrored(&orders_view, 1, 1, 64); }
static void prepare_asked(void) {
  begin_empty();
  orders_before(SLEEPER, keep_first, NULL);
  orders_before(CALLER, keep_first, NULL);
}
static void park_for_asks(void) { conclave_mirror_park(&subscriber, 0, 0, UINT64_MAX); }

/* SYNC POINT keep: who sleeps until the message is in the files, or on the disk, or there is trouble. */
static void note_kept(void) {
  conclave_mirror_note_mirrored(&orders_view, 1, 1, 64);
  conclave_mirror_note_synced(&orders_view, 1);
}
static void wait_for(int synced) {
  const _Atomic uint64_t *word =
      synced ? &orders_view.board->mirror.synced : &orders_view.board->mirror.mirrored;
  while (atomic_load_explicit(word, memory_order_relaxed) == 0) {
    conclave_mirror_wait(&orders_view, 0, synced, NULL);
  }
}
static void wait_for_file(void) { wait_for(0); }
static void wait_for_disk(void) { wait_for(1); }
static void note_trouble(void) { conclave_mirror_set_trouble(&orders_view, EIO); }
static void wait_for_trouble(void) {
  while (conclave_mirror_trouble(&orders_view) == 0) {
    conclave_mirror_wait(&orders_view, 0, 0, NULL);
  }
}

/* What the mirror has done before it says so is there: a word stands for the files. */
static _Atomic uint64_t file;
static void prepare_file(void) {
  begin_empty();
  atomic_init(&file, 0);
}
static void write_and_note(void) {
  atomic_store_explicit(&file, 1, memory_order_relaxed);
  conclave_mirror_note_mirrored(&orders_view, 1, 1, 64);
}
static void look_at_progress(void) {
  if (conclave_mirror_mirrored(&orders_view) == 0) return;
  orders_expect(atomic_load_explicit(&file, memory_order_relaxed) == 1, "not in the files");
}

/* Stretches: the second follows the first at once, before a round ends. */
static void expect_stretch(const conclave_stretch_copy *copy) {
  if (copy->count % 2 == 1) return;
  uint64_t begin = copy->count * 10, last = copy->count == 0 ? 0 : begin + 5;
  orders_expect(copy->begin == begin && copy->end == last, "a stretch that nobody wrote");
}
static void note_stretches(void) {
  conclave_mirror_note_skipped(&orders_view, 20, 25);
  conclave_mirror_note_mirrored(&orders_view, 25, 0, 0);
  conclave_mirror_note_unsynced(&orders_view, 20, 25, 2);
  conclave_mirror_note_round(&orders_view);
  conclave_mirror_note_unsynced(&orders_view, 40, 45, 4);
}
static void read_stretches(void) {
  conclave_mirror_copy copy = conclave_mirror_read(&orders_view);
  expect_stretch(&copy.skipped);
  expect_stretch(&copy.unsynced);
  orders_expect(copy.mirrored == 0 || copy.skipped.count > 0, "a stretch that is not there yet");
  orders_expect(copy.unsynced.count % 2 == 1 || copy.unsynced.subject == copy.unsynced.count,
                "a stretch of another subject");
}
static void read_after_round(void) {
  if (conclave_mirror_rounds(&orders_view) == 0) return;
  conclave_mirror_copy copy = conclave_mirror_read(&orders_view);
  orders_expect(copy.unsynced.count > 0, "a stretch that is not there yet");
}

/* The count of the question brings how far it is wanted. */
static void want_and_ask(void) {
  conclave_mirror_want_synced(&orders_view, 1);
  conclave_mirror_ask(&orders_view, 0);
}
static void look_at_question(void) {
  if (conclave_mirror_asks(&orders_view) == 0) return;
  orders_expect(conclave_mirror_wanted(&orders_view) == 1, "a question about nothing");
}

/* Two that want: none takes back what the other wants. */
static void want_more(uint64_t position) {
  conclave_mirror_want_synced(&orders_view, position);
  conclave_mirror_ask(&orders_view, 0);
  orders_expect(conclave_mirror_wanted(&orders_view) >= position, "less is wanted than was");
}
static void want_one(void) { want_more(1); }
static void want_two(void) { want_more(2); }

/* Who was cancelled does not sleep: nobody would end that. Who is cancelled later looks by the clock. */
static conclave_flag cancelled;
static void raise_flag(void) { conclave_flag_raise(&cancelled); }
static void prepare_cancelled(void) {
  begin_empty();
  conclave_flag_init(&cancelled);
  orders_before(SLEEPER, raise_flag, NULL);
}
static void wait_cancelled(void) { conclave_mirror_wait(&orders_view, 0, 0, &cancelled); }

/* Two that set the base: one does. */
static uint64_t bases[2];
static void prepare_base(void) {
  begin_empty();
  bases[0] = bases[1] = 0;
}
static void set_base(int who) {
  bases[who] = conclave_mirror_set_base(&orders_view, 10 + (uint64_t)who);
  orders_expect(!bases[1 - who] || bases[0] == bases[1], "two bases");
}
static void set_first_base(void) { set_base(0); }
static void set_second_base(void) { set_base(1); }

/* Who may only read announces nothing. But where somebody else has, it is woken with the others. */
static void announce(void) { conclave_event_prepare(&orders_view.board->data); }
static void publish_and_wake(void) {
  publish(&publishers[0], CONCLAVE_WAIT);
  conclave_publish_wake(&publishers[0]);
}
static void prepare_observer(void) {
  begin_empty();
  orders_lane(&publishers[0], 0);
  orders_before(CALLER, publish_and_wake, NULL);
  orders_before(SLEEPER, announce, NULL);
  subscriber.view.is_read_only = 1;
  subscriber.position = 1;
}

/* The cancel flag: who sees it sees what came before. */
static conclave_flag flag;
static _Atomic uint64_t reason;
static void prepare_flag(void) {
  begin_empty();
  conclave_flag_init(&flag);
  atomic_init(&reason, 0);
}
static void cancel(void) {
  atomic_store_explicit(&reason, 1, memory_order_relaxed);
  conclave_flag_raise(&flag);
}
static void look_at_flag(void) {
  if (!conclave_flag_is_raised(&flag)) return;
  orders_expect(atomic_load_explicit(&reason, memory_order_relaxed) == 1, "raised for no reason");
}

/* What a subscription calls itself. */
static const char label[] = "0123456789abcdef";
static void join_with_label(void) {
  conclave_subscription options = {.label = label, .label_bytes = 16};
  orders_join(&subscriber, &options);
}
static void read_label(void) {
  conclave_presence_copy copy = conclave_presence_read(&orders_view, 0);
  orders_expect(memcmp(copy.label, label, copy.label_bytes) == 0, "a label that nobody wrote");
}

const orders_scenario orders_asks[] = {
    {.name = "interrupt", .prepare = begin_empty, .threads = {interrupt, park}},
    {.name = "disturb", .prepare = begin_empty, .threads = {interrupt, doze}},
    {.name = "doze", .prepare = prepare_doze, .threads = {ask, doze}},
    {.name = "asked", .prepare = prepare_asked, .threads = {ask, park_for_asks}},
    {.name = "kept", .prepare = begin_empty, .threads = {note_kept, wait_for_file}},
    {.name = "safe", .prepare = begin_empty, .threads = {note_kept, wait_for_disk}},
    {.name = "trouble", .prepare = begin_empty, .threads = {note_trouble, wait_for_trouble}},
    {.name = "files", .prepare = prepare_file, .threads = {write_and_note, look_at_progress}},
    {.name = "stretch", .prepare = begin_empty, .threads = {note_stretches, read_stretches}},
    {.name = "rounds", .prepare = begin_empty, .threads = {note_stretches, read_after_round}},
    {.name = "wanted", .prepare = begin_empty, .threads = {want_and_ask, look_at_question}},
    {.name = "wants", .prepare = begin_empty, .threads = {want_one, want_two}},
    {.name = "cancelled", .prepare = prepare_cancelled, .threads = {ask, wait_cancelled}},
    {.name = "base", .prepare = prepare_base, .threads = {set_first_base, set_second_base}},
    {.name = "observer", .prepare = prepare_observer, .threads = {publish_and_wake, park}},
    {.name = "flag", .prepare = prepare_flag, .threads = {cancel, look_at_flag}},
    {.name = "label", .prepare = begin_empty, .threads = {join_with_label, read_label}},
    {.name = NULL},
};
