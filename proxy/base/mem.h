/*
 * mem: allocation that does not fail.
 *
 * Without memory a small allocation aborts the process, because a proxy that
 * cannot allocate a few hundred bytes cannot do anything right. Large
 * allocations are limited by the configuration before they come here.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* With a sanitizer, freed objects are not kept for reuse, so that it finds every use after free. */
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
char *mem_copy_string(const char *s);          /* NULL: returns NULL */
char *mem_copy_bytes(const char *p, size_t n); /* the copy is NUL-terminated */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define NEW(type) ((type *)mem_new(sizeof(type)))

#endif
