#include "exchange/exchanges.h"

#include <stdlib.h>

#include "base/mem.h"
#include "caller/ledger.h"
#include "exchange/inner.h"

static void use_config(struct exchanges *x)
{
    const struct config *c = x->clients->config;
    size_t max_fields = (size_t)c->max_fields;

    x->body_limits = (struct body_limits){(size_t)c->max_head, max_fields};
    head_free(x->response_head);
    x->response_head = head_new(max_fields);
    x->cells = mem_grow(x->cells, (c->ntenants + 1) * sizeof(x->cells[0]));
    for (size_t i = 0; i < c->ntenants; i++)
        x->cells[i] = ledger_cell(x->clients->ledger, c->tenants[i]);
}

void exchanges_init(struct exchanges *x, struct clients *clients, struct upstreams *upstreams,
                    struct exchanges_shared *shared)
{
    *x = (struct exchanges){
        .loop = clients->loop, .clients = clients, .upstreams = upstreams, .shared = shared};
    clients->services = x;
    use_config(x);
}

void exchanges_adopt(struct exchanges *x)
{
    use_config(x);
}

void exchanges_free(struct exchanges *x)
{
    free(x->cells);
    head_free(x->response_head);
    buf_free(&x->scratch);
    exchange_free_spares(x);
}
