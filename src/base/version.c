#include <aardvark/export.h>

const char *aard_version(void) { return AARD_VERSION_STRING; }

int aard_version_number(void) { return AARD_VERSION_NUMBER; }
