/*
 * head: the start line and the header section of one message, as views into the
 * bytes that it was read from. A head is valid only as long as those bytes stay
 * in place.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "base/status.h"
#include "http/field.h"

enum method {
    METHOD_OTHER, /* known to the parser, but no rule here uses it */
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

/* Options of Connection (RFC 9110, 7.6.1). */
enum head_option {
    OPTION_CLOSE,
    OPTION_KEEP_ALIVE,
    OPTION_FIELD, /* any other: the name of a field */
};

struct head {
    /* of a request */
    enum method method;
    struct slice method_name, target;
    bool target_needs_encoding; /* it has bytes of CHAR_ENCODE */
    /* of a response */
    int status;
    struct slice reason;
    /* of both */
    int minor;               /* HTTP/1.minor, 0 or 1 */
    bool has_length;         /* there is one valid Content-Length */
    uint64_t content_length; /* valid if has_length */
    bool chunked;            /* there is one Transfer-Encoding, exactly "chunked" */
    uint64_t seen;           /* field_bit() of each field */
    unsigned options;        /* BIT() of each enum head_option in Connection */
    size_t nfields, max_fields;
    struct field fields[]; /* in the order they came */
};

struct head *head_new(size_t max_fields);
void head_free(struct head *h);

static inline bool head_has(const struct head *h, enum field_id id)
{
    return (h->seen & field_bit(id)) != 0;
}

/* The first field with that id at or after index *at; NULL: there is none. Moves *at past it. */
const struct field *head_next(const struct head *h, enum field_id id, size_t *at);

/* The same for a name that has no id of its own. The case does not matter. */
const struct field *head_next_named(const struct head *h, struct slice name, size_t *at);

/* The value of the first field with that id; p NULL: there is none. */
struct slice head_value(const struct head *h, enum field_id id);
size_t head_count(const struct head *h, enum field_id id);

static inline bool head_says(const struct head *h, enum head_option option)
{
    return (h->options & BIT(option)) != 0;
}

/* Reads Connection into h->options. */
void head_read_options(struct head *h);

/* Is name one of the options of Connection (RFC 9110, 7.6.1)? */
bool head_connection_has(const struct head *h, struct slice name);

/* Returns the members of all fields with that id one after the other, split at commas and trimmed.
 * Empty members are skipped. Start with *at = {0}. */
struct head_list {
    size_t at;
    struct slice rest;
};
bool head_next_member(const struct head *h, enum field_id id, struct head_list *at,
                      struct slice *member);

#endif
