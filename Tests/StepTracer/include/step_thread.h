/* Runs one thread of a program one instruction at a time, while its other threads run as they like, so
 * that the program can be looked at, can die, or that thread can stop, at each of its instructions.
 *
 * The program says which thread it is: the first one that comes to a mark (step_mark in step_tracer.h).
 * The next mark is that of another thread, when the one that is meant sleeps, or is about to: from there on
 * it is stepped. A system call is one step, also one that waits for others.
 *
 * By the thread that has begun it, and one at a time. All functions return 0 or a positive errno; ECHILD
 * where the program ended, or met a signal, that was not to be. */
#ifndef STEP_THREAD_H
#define STEP_THREAD_H

#include <stdint.h>
#include <sys/types.h>

typedef struct step_thread {
  pid_t process;
  pid_t thread;
  uint64_t steps;     /* instructions of the thread that were stepped */
  uint64_t calls;     /* system calls that it has come back from */
  uint64_t since;     /* instructions since the last of them */
  int32_t marks;      /* that it has come to */
  int32_t has_ended;  /* the thread, and with it usually the process */
  int32_t is_gone;    /* the process was waited for, and this is */
  int32_t status;     /* how it ended, as waitpid says it */
} step_thread;

/* What others see of memory: the range as it is, and as it was. */
typedef struct step_sight {
  const uint8_t *now;
  uint8_t *before;
  uint64_t bytes;
} step_sight;

/* Executes words[0] with the words, which end with NULL, and `input` as its standard input. Addresses are
 * the same each time. */
int step_thread_begin(char *const words[], int input, step_thread *self);

/* Steps until something has changed in sight, which is taken over into `before`; or the thread has come
 * back from a system call; or `count` instructions are executed; or it has ended. */
int step_thread_on(step_thread *self, uint64_t count, const step_sight *sight, int *has_changed);

/* Lets it run until it has come back from `calls` system calls in all, or has ended. What has changed then may
 * also be others' doing. */
int step_thread_run(step_thread *self, uint64_t calls, const step_sight *sight, int *has_changed);

/* Kills the program, and waits until it is dead. */
int step_thread_kill(step_thread *self);

/* Lets the thread run, and waits until the program has ended by itself. */
int step_thread_finish(step_thread *self);

/* Of the segment whose bytes these are: how far the mirror says it is; */
uint64_t step_segment_mirrored(const uint8_t *segment);
/* where what no mirror can write begins, behind board, slots and rows; */
uint64_t step_segment_seen(const uint8_t *segment);
/* and makes it that of another bus directory. */
void step_segment_move(uint8_t *segment, const char *path);

#endif
