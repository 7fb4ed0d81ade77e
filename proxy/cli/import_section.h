/*
 * import_section: a destination of SAP BTP as a [tenant NAME] section.
 *
 * What a section can hold becomes a line, what it cannot becomes a comment. An
 * export is somebody else's text: each value that is written stays one value
 * of one line, and secrets are never repeated.
 */
#ifndef CLI_IMPORT_SECTION_H
#define CLI_IMPORT_SECTION_H

#include "cli/destination.h"

/* Appends a section for each destination to *out, and to *notes a line for each thing that is
 * missing. name stands for the export in sentences. certificates: the folder into which those go
 * that are in the export; NULL: nowhere. */
enum status import_section_write(const char *name, const struct destinations *from,
                                 const char *certificates, struct buf *out, struct buf *notes,
                                 struct diag *why) MUST_CHECK;

#endif
