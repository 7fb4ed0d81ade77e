#include "exchange/answer_pump.h"

enum h1_result answer_pump_head(struct answer_pump *p, const struct h1_limits *limits,
                                struct slice in, struct head *h, struct slice *rest,
                                struct failure *why)
{
    size_t used = 0;
    enum h1_result result = h1_read_response(&p->reader, limits, in, h, &used, why);

    if (result == H1_DONE)
        p->reader = (struct h1_reader){0};
    *rest = (struct slice){in.p + used, in.n - used};
    return result;
}

void answer_pump_start(struct answer_pump *p, const struct head *h, enum framing in,
                       enum framing out, struct link_filter *links,
                       const struct body_limits *limits)
{
    body_start(&p->body, in, out, h->content_length, limits);
    p->body.is_answer = true;
    p->links = links;
    if (links != NULL)
        p->body.filter = link_filter_run(links);
    if (out != FRAMING_CHUNKED)
        return;
    edit_trailer_rules_start(&p->trailers, h, NULL, 0);
    p->body.drops_trailer = edit_drops_trailer;
    p->body.drops_ctx = &p->trailers;
    if (links != NULL)
        edit_trailer_rules_drop_digests(&p->trailers);
}

enum body_result answer_pump_next(struct answer_pump *p, struct slice *in, struct gather *g)
{
    return body_next(&p->body, in, g);
}

void answer_pump_stop(struct answer_pump *p, struct slice *in)
{
    body_put_back(&p->body, in);
}

void answer_pump_rewind(struct answer_pump *p)
{
    p->reader = (struct h1_reader){0};
}

void answer_pump_free(struct answer_pump *p)
{
    body_free(&p->body);
    edit_trailer_rules_free(&p->trailers);
    link_filter_free(p->links);
}
