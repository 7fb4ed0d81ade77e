/*
 * rules: which methods and paths may be asked for, where not all of them may.
 *
 * A rule is METHOD[|METHOD...] PATTERN. `*` as method is any; GET covers HEAD, which shows less.
 * Patterns: pattern.h. What a server could take for another path than the one that is judged here
 * is refused (rules_path.h), and so are fields in which some look for the path. A segment that
 * reads $batch carries requests of its own, so no `*` covers it.
 *
 * Pure; a set of rules is immutable once all are added, and judging allocates nothing.
 */
#ifndef HTTP_RULES_H
#define HTTP_RULES_H

#include "http/target.h"

struct rules;

/* Adds the rules of text, which commas separate (those inside parentheses belong to a pattern), to
 * *rules, which is NULL before the first. On failure *rules may have got some of them. */
enum status rules_add(struct rules **rules, struct slice text, struct diag *why) MUST_CHECK;
void rules_free(struct rules *r); /* NULL is allowed */

/* May the request pass? Its method, and each that a method-override field or a parameter of the
 * query names, must be covered. If not, *why says why. */
bool rules_cover(const struct rules *r, const struct head *request, const struct target *t,
                 struct failure *why) MUST_CHECK;

/* Appends the first rule that covers its method and path, as METHOD PATTERN; nothing: none does. */
void rules_write_covering(const struct rules *r, const struct head *request, const struct target *t,
                          struct buf *out);

#endif
