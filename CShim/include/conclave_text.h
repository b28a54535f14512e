/* Looking for the bytes that matter in text, 64 at a time.
 *
 * Why C: the step from a vector of comparisons to a word of bits (x86: pmovmskb) cannot be written in
 * Swift, and without it each string in a text has to wait for the end of the one before.
 */
#ifndef CONCLAVE_TEXT_H
#define CONCLAVE_TEXT_H

#include <stdint.h>

/* One bit per byte, the first byte's lowest. */
typedef struct conclave_text_bits {
  uint64_t quotes; /* '"' */
  uint64_t others; /* '\\', control characters (below 0x20), bytes that are not ASCII */
} conclave_text_bits;

typedef uint8_t conclave_text_vector __attribute__((vector_size(64)));
typedef int8_t conclave_text_signs __attribute__((vector_size(64)));
typedef _Bool conclave_text_flags __attribute__((ext_vector_type(64)));

/* Classifies the 64 bytes at `text`. */
static inline conclave_text_bits conclave_text_classify(const void *text) {
  conclave_text_vector bytes;
  __builtin_memcpy(&bytes, text, sizeof(bytes));
  /* As signed numbers, control characters and bytes that are not ASCII are those below 0x20. */
  conclave_text_signs quote = (conclave_text_signs)(bytes == '"');
  conclave_text_signs other = ((conclave_text_signs)bytes < 0x20) | (bytes == '\\');
  conclave_text_flags quotes = __builtin_convertvector(quote, conclave_text_flags);
  conclave_text_flags others = __builtin_convertvector(other, conclave_text_flags);
  conclave_text_bits bits;
  __builtin_memcpy(&bits.quotes, &quotes, sizeof(bits.quotes));
  __builtin_memcpy(&bits.others, &others, sizeof(bits.others));
  return bits;
}

#endif
