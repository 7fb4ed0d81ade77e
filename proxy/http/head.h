/*
 * head: the start line and header section of one message, as views into the
 * bytes it was read from. Valid only as long as those bytes stay where they are.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "base/status.h"
#include "http/field.h"

enum method {
    METHOD_OTHER, /* known to the parser, no rule of ours */
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_OPTIONS,
    METHOD_PATCH,
    METHOD_CONNECT,
    METHOD_TRACE,
};

/* RFC 9110, 7.6.1 */
enum head_option {
    OPTION_CLOSE,
    OPTION_KEEP_ALIVE,
    OPTION_FIELD, /* any other: it names a field */
};

struct head {
    /* a request's */
    enum method method;
    struct slice method_name, target;
    bool target_needs_encoding; /* holds bytes of CHAR_ENCODE */
    /* a response's */
    int status;
    struct slice reason;
    /* both */
    int minor;               /* HTTP/1.minor, 0 or 1 */
    bool has_length;         /* Content-Length occurs once and is sound */
    uint64_t content_length; /* if has_length */
    bool chunked;            /* Transfer-Encoding occurs once and is exactly chunked */
    uint64_t seen;           /* field_bit() of each field */
    unsigned options;        /* BIT() of each enum head_option that Connection says */
    size_t nfields, max_fields;
    struct field fields[]; /* in the order they came */
};

struct head *head_new(size_t max_fields);
void head_free(struct head *h);

static inline bool head_has(const struct head *h, enum field_id id)
{
    return (h->seen & field_bit(id)) != 0;
}

/* The first field with that id at or after index *at, which is moved past it; NULL if none. */
const struct field *head_next(const struct head *h, enum field_id id, size_t *at);

/* The value of the first field with that id; empty (p NULL) if there is none. */
struct slice head_value(const struct head *h, enum field_id id);
size_t head_count(const struct head *h, enum field_id id);

static inline bool head_says(const struct head *h, enum head_option option)
{
    return (h->options & BIT(option)) != 0;
}

/* Fills head->options. */
void head_read_options(struct head *h);

/* One of the Connection options (RFC 9110, 7.6.1) is name. */
bool head_connection_has(const struct head *h, struct slice name);

/* Iterates over the members of all fields with that id, comma-separated and trimmed; empty
 * members are passed over. Start with *at = {0}. */
struct head_list {
    size_t at;
    struct slice rest;
};
bool head_next_member(const struct head *h, enum field_id id, struct head_list *at,
                      struct slice *member);

#endif
