/*
 * mem: allocation that does not fail.
 *
 * Small allocations abort when memory is gone (a proxy that cannot allocate a
 * few hundred bytes can do nothing right any more); large ones are bounded by
 * the configuration before they come here.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* A sanitizer is to see who uses what was freed: nothing is kept to be used again. */
#if defined(__SANITIZE_ADDRESS__)
#define MEM_IS_WATCHED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEM_IS_WATCHED true
#endif
#endif
#ifndef MEM_IS_WATCHED
#define MEM_IS_WATCHED false
#endif

void *mem_new(size_t size); /* zeroed */
void *mem_grow(void *old, size_t size);
char *mem_copy_string(const char *s);          /* NULL stays NULL */
char *mem_copy_bytes(const char *p, size_t n); /* NUL-terminated */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define NEW(type) ((type *)mem_new(sizeof(type)))

#endif
