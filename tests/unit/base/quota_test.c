#include "base/quota.h"
#include "test.h"

TEST(a_quota_counts)
{
    struct quota q;

    quota_init(&q, 2);
    CHECK(quota_take(&q) && quota_take(&q) && !quota_take(&q) && !quota_take(&q));
    quota_give(&q);
    CHECK(quota_take(&q) && !quota_take(&q));
    quota_init(&q, 10);
    CHECK(quota_take_many(&q, 9) && !quota_take_many(&q, 2) && quota_take_many(&q, 1));
    quota_give_many(&q, 10);
    CHECK(quota_take_many(&q, 10) && !quota_take(&q));
    quota_init(&q, 0);
    CHECK(!quota_take(&q));
}
