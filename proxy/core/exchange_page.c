/* Pages of other origins that may call (allow-origin): what their browsers ask and have to be told.
 */
#include "base/clock.h"
#include "core/exchange_parts.h"
#include "http/cors.h"

bool exchange_is_preflight(const struct exchange *x, const struct head *h)
{
    return x->page != NULL && cors_is_preflight(h);
}

void exchange_answer_preflight(struct exchange *x, const struct head *h)
{
    struct buf answer = {0};
    enum persistence p = client_decide(x->client, x->request.complete);

    cors_write_preflight(&answer, h, x->page->fields, p, clock_wall_us());
    (void)stream_write_bytes(client_stream(x->client), answer.p, answer.n);
    buf_free(&answer);
    exchange_finish_own(x, 204);
}

/* Caches have to know that answers differ, whoever asked first. */
const char *exchange_page_fields(const struct exchange *x)
{
    if (x->page != NULL)
        return x->page->fields;
    return x->generation->config->norigins > 0 ? CORS_VARY : NULL;
}

/* The server would judge the page by rules of its own, which were made for other hosts. */
uint64_t exchange_page_drops_request(const struct exchange *x)
{
    return x->page == NULL
               ? 0
               : field_bit(FIELD_ORIGIN) | field_bit(FIELD_SEC_FETCH_SITE) | field_bit(FIELD_CORS);
}

uint64_t exchange_page_drops_answer(const struct exchange *x)
{
    return x->page == NULL ? 0 : field_bit(FIELD_CORS);
}
