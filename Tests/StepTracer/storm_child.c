/* Those who take part in a storm, each a process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "conclave_clock.h"
#include "conclave_mirror.h"
#include "storm.h"

/* SplitMix64 (Steele, Lea and Flood, 2014). */
uint64_t storm_random(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

/* MARK: Publishers */

/* A lane that nobody holds may still be its dead owner's for a moment: while the kernel ends that. */
static int join(const storm_child *self, conclave_publisher *publisher) {
  conclave_view view;
  int failure = step_world_open(self->world, CONCLAVE_PUBLISH, &view);
  if (failure) return failure;
  uint32_t tries = 0;
  do {
    failure = conclave_publisher_join(publisher, &view, 1, 0);
  } while (step_try_again(failure, &tries));
  return failure;
}

/* Whose it is: the publisher in the low byte, which is not 0, and its life. */
static uint32_t sender_of(const storm_child *self) { return self->life << 8 | (self->index + 1); }

static void publish_one(storm_child *self, conclave_publisher *publisher, uint32_t number) {
  storm_life *life = &self->ledger->life[self->index][self->life];
  uint32_t bytes = 8 + (uint32_t)(storm_random(&self->seed) % 60) * 8;
  step_words words = step_words_of(sender_of(self), number, bytes);
  atomic_store(&life->tried, number);
  int is_kept = self->storm->defect && number % 100 == 99;
  if (!is_kept &&
      conclave_publish(publisher, NULL, 0, words.words, words.bytes, CONCLAVE_WAIT) != 0) {
    _exit(4);
  }
  conclave_publish_wake(publisher);
  atomic_store(&life->sent, number);
}

_Noreturn void storm_publish(storm_child self) {
  conclave_publisher publisher;
  if (join(&self, &publisher)) {
    atomic_fetch_add(&self.ledger->refusals, 1);
    _exit(3);
  }
  for (uint32_t number = 1; !atomic_load(&self.ledger->is_ending);) {
    for (uint64_t burst = storm_random(&self.seed) % 12; burst > 0; burst--) {
      publish_one(&self, &publisher, number++);
    }
    usleep((useconds_t)(storm_random(&self.seed) % 3000));
  }
  conclave_publisher_leave(&publisher);
  _exit(0);
}

/* MARK: Subscribers that keep account */

/* Whose it is; 0 when it is nobody's. */
static int find(storm_account *account, const conclave_record *record, step_message *message,
                uint32_t *index, uint32_t *life) {
  *message = step_read(record);
  *index = (message->sender & 0xFF) - 1;
  *life = message->sender >> 8;
  int is_good = message->sender && *index < STEP_STORM_PUBLISHERS && *life < STORM_LIVES;
  if (!is_good) atomic_store(&account->is_wrong, 1);
  return is_good;
}

static uint32_t hash_of(const step_message *message) {
  uint64_t state = (uint64_t)message->sender << 32 | message->number;
  return (uint32_t)(storm_random(&state) % (STORM_LOST - 1)) + 1;
}

/* Of each position there is one piece of news. */
static void note(storm_account *account, uint64_t position, uint32_t news) {
  uint64_t place = position - account->origin;
  if (place >= STORM_POSITIONS || account->heard[place] != 0) {
    atomic_store(&account->is_late, 1);
  } else {
    account->heard[place] = news;
  }
}

static void note_lost(storm_account *account, uint64_t position, uint64_t count) {
  atomic_fetch_add(&account->lost, count);
  for (uint64_t i = 0; i < count; i++) note(account, position + i, STORM_LOST);
}

static void take(storm_account *account, const conclave_record *record) {
  step_message message;
  uint32_t index, life;
  if (!find(account, record, &message, &index, &life)) return;
  note(account, record->position, hash_of(&message));
  if (message.number <= account->last[index][life]) atomic_store(&account->is_late, 1);
  account->last[index][life] = message.number;
  atomic_fetch_add(&account->got[index][life], 1);
  atomic_fetch_add(&account->records, 1);
}

/* Receives what there is. Returns whether it was anything. */
static int drain(conclave_subscriber *subscriber, storm_account *account, uint64_t *seed) {
  int is_anything = 0;
  conclave_record record;
  for (;;) {
    conclave_outcome outcome = conclave_receive(subscriber, &record);
    if (outcome == CONCLAVE_NOTHING) outcome = conclave_receive_rest(subscriber, &record);
    switch (outcome) {
      case CONCLAVE_NOTHING:
        return is_anything;
      case CONCLAVE_RECORD:
        take(account, &record);
        conclave_release(subscriber);
        break;
      case CONCLAVE_LAPPED:
        note_lost(account, record.position, record.lost);
        break;
      case CONCLAVE_GONE:
        note_lost(account, record.position, 1);
        break;
      case CONCLAVE_DAMAGED:
        atomic_fetch_add(&account->damaged, 1);
        break;
    }
    is_anything = 1;
    /* So slow now and then that the ring goes round. */
    if (seed && storm_random(seed) % 20000 == 0) usleep(60000);
  }
}

_Noreturn void storm_receive(storm_child self) {
  storm_account *account = &self.ledger->account[self.index];
  conclave_subscriber subscriber;
  int is_patient = self.index < STORM_PATIENT;
  int failure = step_enter(self.world, is_patient, &subscriber);
  if (failure) {
    atomic_store(&account->failure, (uint32_t)failure);
    _exit(3);
  }
  uint64_t start = subscriber.position;
  atomic_store(&account->begun, 1);
  for (;;) {
    int is_over = atomic_load(&self.ledger->is_draining) != 0;
    uint64_t position = subscriber.position;
    if (drain(&subscriber, account, is_patient ? NULL : &self.seed)) continue;
    if (is_over) break;
    conclave_subscriber_park(&subscriber, position, conclave_monotonic_ns() + 50000000);
  }
  atomic_store(&account->positions, subscriber.position - start);
  conclave_subscriber_leave(&subscriber);
  _exit(0);
}

/* MARK: Subscribers that are killed */

_Noreturn void storm_suffer(storm_child self) {
  conclave_subscriber subscriber;
  if (step_enter(self.world, self.index > 0, &subscriber)) _exit(3);
  conclave_record record;
  while (!atomic_load(&self.ledger->is_draining)) {
    uint64_t position = subscriber.position;
    conclave_outcome outcome = conclave_receive(&subscriber, &record);
    if (outcome == CONCLAVE_NOTHING) outcome = conclave_receive_rest(&subscriber, &record);
    if (outcome == CONCLAVE_RECORD) {
      conclave_release(&subscriber);
    } else if (outcome == CONCLAVE_NOTHING) {
      conclave_subscriber_park(&subscriber, position, conclave_monotonic_ns() + 50000000);
    }
  }
  conclave_subscriber_leave(&subscriber);
  _exit(0);
}

/* MARK: The one that keeps */

/* It gets everything, and what it had not said to be kept may come again. */
static void take_again(storm_account *account, const conclave_record *record) {
  step_message message;
  uint32_t index, life;
  if (!find(account, record, &message, &index, &life)) return;
  uint32_t last = account->last[index][life];
  if (message.number > last + 1) atomic_store(&account->is_late, 1);
  if (message.number <= last) return;
  account->last[index][life] = message.number;
  atomic_fetch_add(&account->records, 1);
}

/* The first one joins, the others follow one that is dead. */
static int join_to_keep(const storm_child *self, storm_account *account,
                        conclave_subscriber *subscriber) {
  if (!atomic_load(&account->begun)) return step_keep(self->world, subscriber);
  conclave_view view;
  int failure = step_world_open(self->world, CONCLAVE_SUBSCRIBE, &view);
  if (failure) return failure;
  uint32_t tries = 0;
  do {
    failure = step_succeed(&view, subscriber);
  } while (step_try_again(failure, &tries));
  return failure;
}

_Noreturn void storm_keep(storm_child self) {
  storm_account *account = &self.ledger->account[self.index];
  conclave_subscriber subscriber;
  int failure = join_to_keep(&self, account, &subscriber);
  if (failure) {
    atomic_store(&account->failure, (uint32_t)failure);
    _exit(3);
  }
  atomic_store(&account->begun, 1);
  conclave_record record;
  for (uint64_t count = 0;;) {
    int is_over = atomic_load(&self.ledger->is_draining) != 0;
    uint64_t position = subscriber.position;
    conclave_outcome outcome = conclave_receive(&subscriber, &record);
    if (outcome == CONCLAVE_RECORD) {
      take_again(account, &record);
      conclave_release(&subscriber);
      if (++count % 256) continue;
    } else if (outcome != CONCLAVE_NOTHING) {
      atomic_store(&account->is_late, 1);
      continue;
    }
    conclave_mirror_note_mirrored(&subscriber.view, subscriber.position, count, 0);
    conclave_subscriber_commit(&subscriber);
    if (outcome == CONCLAVE_RECORD) continue;
    if (is_over) break;
    conclave_subscriber_park(&subscriber, position, conclave_monotonic_ns() + 50000000);
  }
  conclave_subscriber_leave(&subscriber);
  _exit(0);
}
