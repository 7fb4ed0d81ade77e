#include "exchange/exchanges.h"

static void use_limits(struct exchanges *x)
{
    const struct config *c = x->clients->config;
    size_t max_fields = (size_t)c->max_fields;

    x->body_limits = (struct body_limits){(size_t)c->max_head, max_fields};
    head_free(x->response_head);
    x->response_head = head_new(max_fields);
}

void exchanges_init(struct exchanges *x, struct clients *clients, struct upstreams *upstreams,
                    struct exchanges_shared *shared)
{
    *x = (struct exchanges){
        .loop = clients->loop, .clients = clients, .upstreams = upstreams, .shared = shared};
    clients->services = x;
    use_limits(x);
}

void exchanges_adopt(struct exchanges *x)
{
    use_limits(x);
}

void exchanges_free(struct exchanges *x)
{
    head_free(x->response_head);
    buf_free(&x->scratch);
}
