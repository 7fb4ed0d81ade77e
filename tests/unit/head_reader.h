/* Reads a whole head in one go, for tests of what comes behind. */
#ifndef UNIT_HEAD_READER_H
#define UNIT_HEAD_READER_H

#include "http/h1_reader.h"
#include "test.h"

static const struct h1_limits test_limits = {65536, 16384};

/* NULL if the head is not accepted. The caller frees it. */
static inline struct head *try_request(const char *text)
{
    struct head *h = head_new(100);
    struct h1_reader r = {0};
    struct failure why;
    size_t used;

    h1_reader_setup();
    if (h1_read_request(&r, &test_limits, slice_of(text), h, &used, &why) == H1_DONE)
        return h;
    head_free(h);
    return NULL;
}

/* Fails the test if the head is not accepted. */
static inline struct head *read_request(const char *text)
{
    struct head *h = try_request(text);

    CHECK_MSG(h != NULL, "%s", text);
    return h;
}

static inline struct head *read_response(const char *text)
{
    struct head *h = head_new(100);
    struct h1_reader r = {0};
    struct failure why;
    size_t used;

    h1_reader_setup();
    CHECK_MSG(h1_read_response(&r, &test_limits, slice_of(text), h, &used, &why) == H1_DONE, "%s",
              text);
    return h;
}

#endif
