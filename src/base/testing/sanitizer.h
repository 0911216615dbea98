// Whether a test runs many times slower than usual, so that a sweep has to take larger steps.
#pragma once

namespace re_dms {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kUnderSanitizer = true;
#else
inline constexpr bool kUnderSanitizer = false;
#endif

}  // namespace re_dms
