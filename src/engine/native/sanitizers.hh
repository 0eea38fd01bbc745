// AARD_ASAN and AARD_TSAN, however the compiler says it, and what is called then.
#ifndef AARD_ENGINE_SANITIZERS_HH
#define AARD_ENGINE_SANITIZERS_HH

#ifdef __has_feature
#define AARD_HAS_FEATURE(feature) __has_feature(feature)
#else
#define AARD_HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || AARD_HAS_FEATURE(address_sanitizer)
#define AARD_ASAN 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif

#if defined(__SANITIZE_THREAD__) || AARD_HAS_FEATURE(thread_sanitizer)
#define AARD_TSAN 1
#include <sanitizer/tsan_interface.h>
#endif

#endif
