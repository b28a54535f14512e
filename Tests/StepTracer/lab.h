/* A process that holds a whole world, does one deed in it, and can try at each instruction of the deed
 * what becomes of it when somebody does something hostile to the segment just then.
 *
 * The tracer steps it and interrupts it with a signal; in the handler it copies itself (fork) once for
 * each hostile act. The copy does the act, returns from the handler, goes on with the deed at full speed,
 * judges what came of it, and ends; the original puts the segment back as it was. */
#ifndef STEP_LAB_H
#define STEP_LAB_H

#include "step_attack.h"
#include "step_world.h"

enum { LAB_FIELDS = 96, LAB_PAIRS = 3, LAB_MORE = 20, LAB_NUMBERS = 4096 };

/* What a hostile value there may do to others than its owner. */
typedef enum lab_harm {
  LAB_NOBODY,  /* nobody's messages */
  LAB_LANE,    /* the messages of `lane` */
  LAB_RECORD,  /* the bytes of a record of `lane`: nothing but its place and length can be checked */
  LAB_ORDER,   /* which record comes where: messages may come twice, or late */
  LAB_ROW,     /* whether publishers find room */
} lab_harm;

/* A word of the segment. */
typedef struct lab_field {
  char name[32];
  void *place;
  void *sibling;  /* the same of another lane, row or slot */
  uint64_t lap;   /* how far apart two values are that may be mistaken for each other */
  uint32_t width; /* 4 or 8 bytes */
  lab_harm harm;
  uint32_t lane;
  uint32_t unused;
} lab_field;

/* What the copy found; shared with the original. */
typedef struct lab_verdict {
  uint32_t is_ended;
  uint32_t believed; /* records that nobody published, and that nothing tells from such */
  uint32_t stalled;  /* whether messages did not come, since the next slot says that there is none */
  uint32_t unused;
  uint64_t work_ns;  /* processor time from the act to the deed's end */
  char fault[160];
} lab_verdict;

/* What the original tells the tracer. */
typedef struct lab_report {
  step_result result;
  lab_verdict verdict;
  lab_field watched;      /* the field with this index; width 0: there is none */
  uint32_t watched_index;
  uint32_t unused;
} lab_report;

typedef struct lab {
  const step_case *what;
  const step_attack *attack;
  lab_report *report;
  uint64_t turn;               /* which of the acts is tried next, when not all are */
  step_world world;
  conclave_publisher other;    /* of lane 1; the one that publishes, when that is the deed */
  conclave_subscriber reader;
  conclave_view view;          /* of who is to join */
  lab_field fields[LAB_FIELDS];
  lab_field current;           /* what the copy has changed */
  uint32_t field_count;
  uint32_t is_copy;
  uint32_t is_truncated;
  int32_t failure;             /* of the deed, */
  uint32_t outcome;            /* or a conclave_outcome */
  uint32_t is_reader;          /* whether `reader` is one */
  conclave_record record;
  step_words words;
  uint64_t began_ns;
  uint32_t first[4];           /* the number of each sender's first message that has to come */
  uint8_t seen[4][LAB_NUMBERS]; /* how often each came */
  uint8_t *image;              /* the segment as it was at this instruction */
} lab;

/* The process that all this happens in. */
lab *lab_of_process(void);

/* The body of the process: makes the world, does the deed between two marks. */
void lab_act(void *context);

/* What `lab_act` is given. */
typedef struct lab_order {
  const step_case *what;
  const step_attack *attack;
  lab_report *report;
} lab_order;

/* Ends a copy, or the process, with what is wrong, unless something was before. */
void lab_fault(lab *lab, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Lists the words that the deed may read. */
void lab_list_fields(lab *lab);

/* The signal handler: tries all acts at this instruction. */
void lab_try_acts(int signal);

/* Of this process, since it began. */
uint64_t lab_processor_ns(void);

/* In a copy: what came of the act. */
void lab_judge(lab *lab);

#endif
