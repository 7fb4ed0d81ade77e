/*
 * test: a test is a function that registers itself; a failed check tells file,
 * line and values and ends its test, not the program.
 */
#ifndef UNIT_TEST_H
#define UNIT_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"
#include "base/status.h"

struct test {
    const char *name;
    void (*run)(void);
    struct test *next;
};

void test_register(struct test *t);
void test_fail(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4)
    __attribute__((noreturn));

/* A folder of the test's own, removed in the end. */
const char *test_folder(void);

/* Writes a file into it and returns its path, valid until the test ends. */
const char *test_file(const char *name, const char *text);

/* "VARIABLE" of the environment; the program that runs the tests sets it. */
const char *test_environment(const char *name);

#define TEST(name)                                                                                 \
    static void name(void);                                                                        \
    static struct test name##_test = {#name, name, NULL};                                          \
    __attribute__((constructor)) static void name##_register(void)                                 \
    {                                                                                              \
        test_register(&name##_test);                                                               \
    }                                                                                              \
    static void name(void)

#define CHECK_MSG(condition, ...)                                                                  \
    do {                                                                                           \
        if (!(condition))                                                                          \
            test_fail(__FILE__, __LINE__, #condition ": " __VA_ARGS__);                            \
    } while (0)
#define CHECK(condition) CHECK_MSG(condition, "false")

#define CHECK_INT(got, want, what)                                                                 \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
        if (got_ != want_)                                                                         \
            test_fail(__FILE__, __LINE__, "%s: %s is %lld, not %lld", what, #got, got_, want_);    \
    } while (0)

#define CHECK_TEXT(got, want, what)                                                                \
    do {                                                                                           \
        struct slice got_ = slice_of(got), want_ = slice_of(want);                                 \
        if (!slice_eq(got_, want_))                                                                \
            test_fail(__FILE__, __LINE__, "%s: %s is \"%.*s\", not \"%.*s\"", what, #got,          \
                      (int)got_.n, got_.p, (int)want_.n, want_.p);                                 \
    } while (0)

#define CHECK_SLICE(got, want, what)                                                               \
    do {                                                                                           \
        struct slice got_ = (got), want_ = slice_of(want);                                         \
        if (!slice_eq(got_, want_))                                                                \
            test_fail(__FILE__, __LINE__, "%s: %s is \"%.*s\", not \"%.*s\"", what, #got,          \
                      (int)got_.n, got_.p, (int)want_.n, want_.p);                                 \
    } while (0)

#define CHECK_CONTAINS(text, part)                                                                 \
    do {                                                                                           \
        if (strstr(text, part) == NULL)                                                            \
            test_fail(__FILE__, __LINE__, "\"%s\" does not contain \"%s\"", text, part);           \
    } while (0)

#endif
