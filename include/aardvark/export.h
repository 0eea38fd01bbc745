/* Linkage and version of the aardvark library. */
#ifndef AARDVARK_EXPORT_H
#define AARDVARK_EXPORT_H

#define AARD_VERSION_MAJOR 0
#define AARD_VERSION_MINOR 3
#define AARD_VERSION_PATCH 0
#define AARD_VERSION_STRING "0.3.0"
/* To compare with what aard_version_number() gives. */
#define AARD_VERSION_NUMBER (AARD_VERSION_MAJOR * 10000 + AARD_VERSION_MINOR * 100 + AARD_VERSION_PATCH)

#if defined(__GNUC__)
#define AARD_API __attribute__((visibility("default")))
/* A function's error has to be looked at, or at least freed. */
#define AARD_NODISCARD __attribute__((warn_unused_result))
#else
#define AARD_API
#define AARD_NODISCARD
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is running, "major.minor.patch".  Any thread.  Static storage. */
AARD_API const char *aard_version(void);
/* The same as a number, AARD_VERSION_NUMBER of the library that is running: 10000 * major + 100 * minor + patch. */
AARD_API int aard_version_number(void);

/* The version of the V8 that is running, as V8 itself gives it.  Any thread.  Static storage. */
AARD_API const char *aard_v8_version(void);

#ifdef __cplusplus
}
#endif

#endif
