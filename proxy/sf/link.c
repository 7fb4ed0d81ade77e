#include "sf/link.h"

#include "sf/link_json.h"
#include "sf/link_names.h"
#include "sf/link_xml.h"

void link_start(struct link_rewriter *r, enum link_syntax syntax, const struct link_rules *rules)
{
    r->syntax = syntax;
    r->rules = rules;
    r->matching = r->link_element = r->starts_text = r->flushes = r->changed = false;
    r->nheld = r->nbefore = r->nname = r->nuntil = 0;
    r->json = JSON_ELSEWHERE;
    r->state = XML_TEXT;
    link_names_prepare();
}

size_t link_run(struct link_rewriter *r, struct slice *in, struct iovec *pieces, size_t room)
{
    struct link_out o = {pieces, 0, room};

    r->flushes = false;
    if (r->syntax == LINK_JSON)
        link_run_json(r, in, &o);
    else
        link_run_xml(r, in, &o);
    return o.count;
}

size_t link_finish(struct link_rewriter *r, struct iovec *piece)
{
    struct link_out o = {piece, 0, 1};

    link_out_add(&o, r->held, r->nheld);
    r->matching = false;
    r->nheld = 0;
    return o.count;
}
