/* The compatibility tags in a wheel's name (PEP 425). */
#ifndef AARD_DISTRIBUTION_WHEEL_TAG_H
#define AARD_DISTRIBUTION_WHEEL_TAG_H

#include <stdbool.h>

/* Whether Pyodide can load a wheel of this tag, "<python>-<abi>-<platform>" ("py2.py3-none-any"). */
bool aard__wheel_tag_fits(const char *tag);

#endif
