/*
 * page: what `admin` shows at `/`: the status for a person with a browser, as
 * HTML without a script. What matters comes first: which certificate ends
 * next, and what failed last, with its cure.
 */
#ifndef OPS_PAGE_H
#define OPS_PAGE_H

#include "ops/status.h"

#define PAGE_TYPE "text/html; charset=utf-8"

/* Fields of the answer: nothing but the style sheet is loaded, no script runs, and no other page
 * holds this one in a frame or reads it. */
extern const char page_fields[];

/* The style sheet, at /style.css. */
extern const char page_style[];

/* In the thread of the worker whose clients these are. */
void page_write(struct buf *b, const struct status_facts *f, const struct clients *clients);

#endif
