#include "caller/clients.h"

#include <sys/random.h>

#include "base/clock.h"
#include "caller/ledger.h"

static void use_config(struct clients *c, const struct config *config)
{
    c->config = config;
    local_leaves_free(c->leaves);
    c->leaves = config->local_ca == NULL ? NULL : local_leaves_new(config->local_ca);
    c->limits = (struct h1_limits){(size_t)config->max_head, (size_t)config->max_target};
    head_free(c->request_head);
    c->request_head = head_new((size_t)config->max_fields);
}

void clients_init(struct clients *c, struct loop *l, struct clients_shared *shared,
                  const struct config *config)
{
    *c = (struct clients){.loop = l, .shared = shared};
    c->peers = peer_asker_new();
    c->ledger = ledger_new(&shared->ledgers);
    list_init(&c->list);
    use_config(c, config);
    if (getrandom(&c->id_prefix, sizeof(c->id_prefix), 0) < 0)
        c->id_prefix = (uintptr_t)c;
}

void clients_adopt(struct clients *c, const struct config *config)
{
    use_config(c, config);
}

void clients_free(struct clients *c)
{
    local_leaves_free(c->leaves);
    peer_asker_free(c->peers);
    head_free(c->request_head);
    buf_free(&c->record_room);
    ledger_free(c->ledger);
}

void clients_report(struct clients *c, struct record *r, int64_t begun_us, int64_t first_us)
{
    r->total_us = clock_monotonic_us() - begun_us;
    r->first_us = first_us == 0 ? -1 : first_us - begun_us;
    r->begun_wall_us = clock_wall_us() - r->total_us;
    c->record_room.n = 0;
    r->room = &c->record_room;
    r->counts = r->cell == NULL ? &c->counts : ledger_counts(r->cell);
    ledger_note(c->ledger, r);
    c->shared->on_record(c->shared->record_ctx, r);
}

void clients_new_id(struct clients *c, char out[REQUEST_ID_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    /* An odd factor: no id comes twice. It is 2^64 divided by the golden ratio (see census.c). */
    uint64_t id = c->id_prefix + c->next_id++ * UINT64_C(0x9e3779b97f4a7c15);

    for (int i = 15; i >= 0; i--, id >>= 4)
        out[i] = hex[id & 15];
    out[16] = '\0';
}
