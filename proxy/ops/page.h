/*
 * page: the page that `admin` shows at `/`: the status as HTML without a
 * script, for a person with a browser. The most important comes first: which
 * certificate ends next, and what failed last, with its cure.
 */
#ifndef OPS_PAGE_H
#define OPS_PAGE_H

#include "ops/status.h"

#define PAGE_TYPE "text/html; charset=utf-8"

/* Fields of the answer: only the style sheet may be loaded, no script runs, and no other page may
 * frame or read this one. */
extern const char page_fields[];

/* The style sheet, at /style.css. */
extern const char page_style[];

/* Call it in the thread of the worker whose clients these are. */
void page_write(struct buf *b, const struct status_facts *f, const struct clients *clients);

#endif
