#include "allocation_counter.h"

#include <errno.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTS 0
#elif __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || !defined(__GLIBC__)
#define COUNTS 0
#else
#define COUNTS 1
#endif

static _Thread_local uint64_t count;
static _Thread_local int is_counting;

int allocation_counter_works(void) { return COUNTS; }

void allocation_counter_begin(void) {
  count = 0;
  is_counting = 1;
}

uint64_t allocation_counter_end(void) {
  is_counting = 0;
  return count;
}

#if COUNTS

/* glibc's own, for programs that replace the others: see "Replacing malloc" in its manual. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static void note(void) { count += (uint64_t)is_counting; }

void *malloc(size_t bytes) {
  note();
  return __libc_malloc(bytes);
}

void *calloc(size_t elements, size_t bytes) {
  note();
  return __libc_calloc(elements, bytes);
}

void *realloc(void *old, size_t bytes) {
  note();
  return __libc_realloc(old, bytes);
}

void *memalign(size_t alignment, size_t bytes) {
  note();
  return __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  note();
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **result, size_t alignment, size_t bytes) {
  note();
  *result = __libc_memalign(alignment, bytes);
  return *result ? 0 : ENOMEM;
}

#endif
