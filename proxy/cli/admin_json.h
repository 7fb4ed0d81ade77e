/*
 * admin_json: single members of what the admin listener answers, apart from
 * those who know the configuration: jansson's names and theirs collide.
 */
#ifndef CLI_ADMIN_JSON_H
#define CLI_ADMIN_JSON_H

/* path: "configuration.refused.reason". NULL, or 0: there is none; the caller frees the text. */
char *admin_json_text(const char *json, const char *path);
long long admin_json_number(const char *json, const char *path);

#endif
