/*
 * mem: allocation that does not fail.
 *
 * Small allocations abort when memory is gone (a proxy that cannot allocate a
 * few hundred bytes can do nothing right any more); large ones are bounded by
 * the configuration before they come here.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_new(size_t size); /* zeroed */
void *mem_grow(void *old, size_t size);
char *mem_copy_string(const char *s);          /* NULL stays NULL */
char *mem_copy_bytes(const char *p, size_t n); /* NUL-terminated */
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define NEW(type) ((type *)mem_new(sizeof(type)))

#endif
