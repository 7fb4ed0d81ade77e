/*
 * rules: the methods and paths that may be used, if not all of them may.
 *
 * A rule is METHOD[|METHOD...] PATTERN. The method `*` stands for any method.
 * GET covers HEAD too, which shows less. Patterns: pattern.h. A path that a
 * server could take for another path is refused (rules_path.h), and so are
 * fields in which some servers look for the path. A segment that reads $batch
 * carries requests of its own, so no `*` covers it.
 *
 * Pure. A set of rules is immutable after the last was added. Checking a
 * request allocates no memory.
 */
#ifndef HTTP_RULES_H
#define HTTP_RULES_H

#include "http/target.h"

struct rules;

/* Adds the rules of text, a comma-separated list (commas inside parentheses belong to a
 * pattern), to *rules, which is NULL before the first call. On failure some of the rules may
 * have been added. */
enum status rules_add(struct rules **rules, struct slice text, struct diag *why) MUST_CHECK;
void rules_free(struct rules *r); /* NULL is allowed */

/* Is the request allowed? Rules have to cover its method, and each method that a method-override
 * field or a query parameter names. If not, *why has the reason. */
bool rules_cover(const struct rules *r, const struct head *request, const struct target *t,
                 struct failure *why) MUST_CHECK;

/* Appends the first rule that covers the request's method and path, as METHOD PATTERN; nothing if
 * there is none. */
void rules_write_covering(const struct rules *r, const struct head *request, const struct target *t,
                          struct buf *out);

#endif
