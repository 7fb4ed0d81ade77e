/*
 * import_section: writes a destination of SAP BTP as a [tenant NAME] section.
 *
 * A property that a section can express becomes a line; any other becomes a
 * comment. The export may be hostile: a value that is written always remains
 * one value in one line, and secrets are never written.
 */
#ifndef CLI_IMPORT_SECTION_H
#define CLI_IMPORT_SECTION_H

#include "cli/destination.h"

/* Appends a section for each destination to *out, and a line to *notes for each thing that is
 * missing. name: the export's name in sentences. certificates: the folder for certificates that are
 * in the export; NULL: they are not written. */
enum status import_section_write(const char *name, const struct destinations *from,
                                 const char *certificates, struct buf *out, struct buf *notes,
                                 struct diag *why) MUST_CHECK;

#endif
